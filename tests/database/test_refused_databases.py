"""A database that this bot can't use is refused in a sentence, and left alone."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bot.cluster import WantedShards, membership
from bot.errors import SettingsError
from bot.migrate import migrate
from tests.database.later import add_revision
from tests.database.rows import REVISIONS


def content(file: Path) -> bytes:
    return file.read_bytes()


@pytest.mark.promise
async def test_a_database_of_a_newer_version_is_refused_and_left_alone(
    url: str, file: Path, scripts: Path
) -> None:
    add_revision(scripts, "9001", REVISIONS[-1], "pass")
    await migrate(url)
    before = content(file)
    (scripts / "9001.py").unlink()
    with pytest.raises(SettingsError, match=r"made by a newer version of the bot \(schema 9001"):
        await migrate(url)
    assert content(file) == before


async def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file", "utf-8")
    with pytest.raises(SettingsError, match=r"occupied/studii\.db can't be opened for writing"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/occupied/studii.db")


async def join(url: str) -> None:
    async def one() -> int:
        return 1

    async with membership(url, "a process", WantedShards(one)):
        pytest.fail("joined")


@pytest.mark.promise
@pytest.mark.parametrize("first_contact", [migrate, join])
async def test_a_server_that_does_not_answer_is_named_without_its_password(
    first_contact: Callable[[str], Awaitable[None]],
) -> None:
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:1/studii can't be used.*DATABASE_URL") as caught:
        await first_contact("postgresql+asyncpg://bot:s3cret@127.0.0.1:1/studii")
    assert "s3cret" not in str(caught.value)
