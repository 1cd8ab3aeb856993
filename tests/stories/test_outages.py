"""What people and operators see while the database can't be used."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.demo.people import until
from sandbox.demo.place import PHOTO_DESK
from sandbox.studii import Options
from tests.stories.world import town


@pytest.mark.promise
async def test_while_another_program_holds_the_database_nothing_is_lost_and_all_goes_on_afterwards(
    tmp_path: Path,
) -> None:
    async with town(tmp_path, Options(long_side=64)) as here:
        await here.maya.command("studio", prompt="A red kite")
        await until(lambda: len(here.studii.jobs) == 1, "the job")
        with closing(sqlite3.connect(tmp_path / "data" / "studii.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asked = here.discord.send(
                here.discord.command(PHOTO_DESK, here.tom.id, "studio", {"prompt": "A blue kite"})
            )
            await until(lambda: asked.waits, "the person to be told to wait")
            assert here.studii.requests.count("create") == 1
            other.execute("ROLLBACK")
        await until(lambda: len(list(here.pictures())) == 2, "both results")
        assert (len(here.studii.jobs), await here.spent()) == (2, 16)
        trouble = [line for line in here.log if "WARNING" in line or "ERROR" in line]
        assert len(trouble) < 10, trouble
        assert "Traceback" not in "".join(here.log)
