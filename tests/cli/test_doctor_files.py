"""`doctor` looks at the files, the database and the disk, and says in plain words what to do."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from bot.cli.doctor import Verdict, database as check_database
from bot.config import Settings
from bot.migrate import migrate
from bot.sqlite_file import instance_lock
from sandbox.discord.emulator import TOKEN
from tests.cli.commands import database, keep_key, ran
from tests.cli.doctor import DRIVERS, found, stopping, with_free
from tests.support.postgresql import new_database


def a_file_for_a_folder(folder: Path) -> None:
    (folder / "data").write_text("in the way")


def a_file_for_the_spool(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "spool").write_text("in the way")


def a_folder_for_the_database(folder: Path) -> None:
    database(folder).mkdir(parents=True)


def no_database(folder: Path) -> None:
    database(folder).parent.mkdir()
    database(folder).write_text("Dear diary. " * 500)


def of_another_program(folder: Path) -> None:
    database(folder).parent.mkdir()
    with closing(sqlite3.connect(database(folder))) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def of_another_program_with_revisions(folder: Path) -> None:
    of_another_program(folder)
    with closing(sqlite3.connect(database(folder))) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('1ab4c9')")
        connection.commit()


def a_key_file_without_a_key(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "encryption.key").write_text("garbage")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("before", "what", "remedy"),
    [
        (a_file_for_a_folder, None, "Allow the bot to write there"),
        (a_file_for_the_spool, None, "can't be used (file exists). Allow the bot to write there"),
        (a_folder_for_the_database, "Database", "isn't a file. Set DATABASE_URL to another place."),
        (no_database, "Database", "isn't an SQLite database. Set DATABASE_URL to another file"),
        (of_another_program, "Database", "belongs to another program. Set DATABASE_URL"),
        (of_another_program_with_revisions, "Database", "belongs to another program. Set DATABASE_URL"),
        (a_key_file_without_a_key, "Encryption key", "Put its last copy back."),
    ],
)
async def test_what_is_in_the_bots_place_is_told_at_the_start(
    tmp_path: Path, around: dict[str, str], before: Callable[[Path], None], what: str | None, remedy: str
) -> None:
    before(tmp_path)
    findings = await found(around)
    assert what is None or (what in stopping(findings) and remedy in findings[what].words)
    status, _, errors = await ran(tmp_path, "run")
    assert status == 2, errors
    assert remedy in errors
    assert not [word for word in DRIVERS if word in errors], errors


async def damage(folder: Path, sql: str) -> None:
    await keep_key(folder)
    with closing(sqlite3.connect(database(folder))) as connection:
        connection.execute(sql)
        connection.commit()


@pytest.mark.promise
async def test_a_database_of_a_newer_version_stops_it(tmp_path: Path, around: dict[str, str]) -> None:
    await damage(tmp_path, "UPDATE alembic_version SET version_num = '9001'")
    findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "newer version of the bot (schema 9001" in findings["Database"].words
    assert "Start the newer version again" in findings["Database"].words


@pytest.mark.promise
async def test_a_damaged_database_stops_it(tmp_path: Path, around: dict[str, str]) -> None:
    await keep_key(tmp_path)
    content = bytearray(database(tmp_path).read_bytes())
    content[8192:] = b"\x55" * (len(content) - 8192)
    database(tmp_path).write_bytes(content)
    findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "damaged. Restore a backup" in findings["Database"].words


async def test_a_database_that_another_program_writes_to_is_told_apart_from_a_running_bot(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_key(tmp_path)
    monkeypatch.setattr("bot.cli.doctor.WRITE_CHECK_SECONDS", 0.3)
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        connection.execute("BEGIN IMMEDIATE")
        findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "another program" in findings["Database"].words
    async with instance_lock(f"sqlite+aiosqlite:///{database(tmp_path)}"):
        findings = await found(around)
    assert stopping(findings) == set()
    assert "Stop it before restore and rotate-keys" in findings["Bot"].words


@pytest.mark.parametrize(
    ("free", "verdict", "remedy"),
    [
        (1_000_000, Verdict.STOPS, "Free some space"),
        (500_000_000, Verdict.WARN, "Lower SPOOL_MB or free some space"),
    ],
)
async def test_a_disk_that_is_nearly_full_is_told(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch, free: int, verdict: Verdict, remedy: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", with_free(free))
    findings = await found(around)
    assert findings["Disk"].verdict is verdict
    assert remedy in findings["Disk"].words
    assert stopping(findings) == ({"Disk"} if verdict is Verdict.STOPS else set())


@pytest.mark.promise
async def test_a_photo_that_the_bot_removes_while_doctor_looks_is_no_fault(
    tmp_path: Path, around: dict[str, str]
) -> None:
    spool = tmp_path / "data" / "spool"
    spool.mkdir(parents=True)
    (spool / "still-here").write_bytes(bytes(3_000_000))
    (spool / "gone").symlink_to(spool / "removed")  # it is listed, and has no size any more
    findings = await found(around)
    assert findings["Disk"].verdict is Verdict.GOOD
    assert "use 3 of 2,000 MB." in findings["Disk"].words


@pytest.fixture
def another_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is on another disk than the bot's, where there is one."""
    for place in (Path("/dev/shm"), Path("/var/tmp")):  # noqa: S108 - in memory, and not
        if place.is_dir() and place.stat().st_dev != tmp_path.stat().st_dev:
            with TemporaryDirectory(dir=place) as folder:
                yield Path(folder)
            return
    pytest.skip("there is no other disk here")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("free", "verdict", "remedy"),
    [
        (1_000_000, Verdict.STOPS, "Photos need at least 10 MB. Free some space"),
        (500_000_000, Verdict.WARN, "Lower SPOOL_MB or free some space"),
        (9_000_000_000, Verdict.GOOD, "use 0 of 2,000 MB."),
    ],
)
async def test_a_spool_with_a_disk_of_its_own_has_a_line_of_its_own(
    tmp_path: Path,
    around: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    another_disk: Path,
    *,
    free: int,
    verdict: Verdict,
    remedy: str,
) -> None:
    spool = tmp_path / "data" / "spool"
    spool.parent.mkdir()
    spool.symlink_to(another_disk)

    def usage(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free if path == spool else 20_000_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    findings = await found(around)
    assert (findings["Disk"].verdict, findings["Disk"].words) == (Verdict.GOOD, "20 MB free.")
    assert findings["Spool"].verdict is verdict
    assert findings["Spool"].words.startswith(f"{free // 1_000_000:,} MB free on the disk of {spool}.")
    assert remedy in findings["Spool"].words
    assert stopping(findings) == ({"Spool"} if verdict is Verdict.STOPS else set())


async def test_a_postgresql_of_an_earlier_version_is_to_be_backed_up_as_the_start_makes_no_copy(
    postgresql: str,
) -> None:
    url = await new_database(postgresql)
    await migrate(url, "0036")
    settings = Settings.read(discord_token=TOKEN, database_url=url)
    (finding,) = [one async for one in check_database(settings)]
    assert finding.verdict is Verdict.WARN
    assert finding.words.startswith("Schema 0036. The next start upgrades it to ")
    assert finding.words.endswith(". Back it up with pg_dump first.")
