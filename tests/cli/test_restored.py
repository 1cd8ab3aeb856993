"""After pg_restore: what waited in the backup is not sent again."""

from pathlib import Path

import pytest

from bot.cli.maintenance import restored
from bot.config import StorageSettings
from bot.db import Database
from bot.errors import SettingsError
from bot.jobs import queries
from bot.jobs.models import JobState
from tests.support.database import database
from tests.support.jobs import accepted
from tests.support.postgresql import new_migrated_database
from tests.support.posts import open_posts


@pytest.mark.promise
async def test_jobs_that_waited_in_the_backup_are_settled_by_admins(
    tmp_path: Path, migrated_postgresql: str
) -> None:
    url = await new_migrated_database(migrated_postgresql)
    settings = StorageSettings.read(database_url=url)
    async with Database.open(url) as db:
        jobs = [await accepted(db) for _ in range(2)]
    told = await restored(settings)
    assert told.startswith("2 jobs waited in the backup")
    async with Database.open(url) as db:
        assert {job.id for job in await db.read(queries.in_states, [JobState.UNKNOWN])} == {
            job.id for job in jobs
        }
        assert len(await db.read(open_posts)) == 2
    assert (await restored(settings)).startswith("0 jobs waited")


@pytest.mark.promise
async def test_on_sqlite_restore_does_everything(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`restore FILE` does everything"):
        await restored(StorageSettings.read(database_url=await database(tmp_path)))
