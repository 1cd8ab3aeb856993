"""What `doctor` finds."""

import asyncio
import errno
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
from discord.http import Route

from bot import catalog
from bot.cli.doctor import GOOD, STOPS, WARN, Finding, database as check_database, examine, of_settings
from bot.config import Settings
from bot.migrate import migrate
from bot.sqlite_file import instance_lock
from bot.vault import Vault
from sandbox.discord.emulator import TOKEN
from sandbox.studii import StudiiServer
from tests.cli.commands import SECRET, database, keep_key, ran
from tests.support.postgresql import new_database

DRIVERS = ("sqlite3", "sqlalchemy", "Traceback", "Errno", "ssl:", "malformed", "aiosqlite")


def with_free(free: int) -> Callable[[Path], SimpleNamespace]:
    """`shutil.disk_usage` of a disk with that many free bytes."""
    return lambda _path: SimpleNamespace(free=free)


async def found(settings: dict[str, str]) -> dict[str, Finding]:
    findings = await examine(Settings.read(**settings))
    for one in findings:
        assert not [word for word in DRIVERS if word in one.words], one.words
    return {one.what: one for one in findings}


def stopping(findings: dict[str, Finding]) -> set[str]:
    return {what for what, one in findings.items() if one.verdict == STOPS}


@pytest.mark.promise
async def test_wrong_settings_are_told_as_the_start_tells_them(tmp_path: Path) -> None:
    told = [
        await ran(tmp_path, command, SPOOL_MB="lots", DISCORD_TOKEN="7001", COLUMNS="300")
        for command in ("doctor", "run")
    ]
    assert told[0] == told[1]
    status, out, errors = told[0]
    assert (status, out) == (2, "")
    assert "SPOOL_MB must be a whole number of at least 50." in errors
    assert "not the application's id, public key or client secret" in errors


@pytest.mark.promise
async def test_a_check_that_fails_unexpectedly_hides_no_other(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_path: Path) -> None:
        raise ZeroDivisionError("with a password")

    monkeypatch.setattr(shutil, "disk_usage", broken)
    findings = await found(around)
    assert stopping(findings) == {"Disk"}
    assert "ZeroDivisionError at test_doctor.py:" in findings["Disk"].words
    assert "password" not in findings["Disk"].words


@pytest.mark.promise
async def test_files_of_another_user_are_named_and_no_reason_to_report_a_fault(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "data" / "spool")

    def closed(_path: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", place)

    monkeypatch.setattr(shutil, "disk_usage", closed)
    findings = await found(around)
    assert stopping(findings) == {"Disk"}
    assert findings["Disk"].words.startswith(f"The user who runs this isn't allowed to open {place}.")


@pytest.mark.promise
@pytest.mark.parametrize(("mode", "minded"), [(0o644, True), (0o602, True), (0o640, True), (0o600, False)])
def test_a_dotenv_file_that_others_can_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, minded: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\n")
    file.chmod(mode)
    findings = {one.what: one for one in of_settings()}
    assert (".env" in findings) is minded
    if minded:
        assert findings[".env"].verdict == WARN
        assert f"chmod 600 {file}" in findings[".env"].words


@pytest.mark.promise
@pytest.mark.parametrize(("off", "where"), [(95, "ahead of"), (-3_600, "behind")])
async def test_a_clock_that_is_off_is_told(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch, off: int, where: str
) -> None:
    assert (await found(around))["Clock"].verdict == GOOD

    def now(_: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=off)

    monkeypatch.setattr("bot.client.login.SystemClock.now", now)
    clock = (await found(around))["Clock"]
    assert clock.verdict == WARN
    seconds = re.search(rf"is ([\d,]+) seconds {where} Discord's", clock.words)
    assert seconds is not None
    assert abs(int(seconds[1].replace(",", "")) - abs(off)) <= 10  # Discord tells whole seconds, some ago


@pytest.mark.promise
async def test_a_port_that_is_taken_is_told_at_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, _, errors = await ran(tmp_path, "run", HEALTH_PORT=port)
        assert status == 1  # it may be free later
        assert "can't be used (address already in use). Set another port" in errors


async def test_a_server_for_developing_in_which_the_bot_is_not_stops_it(tmp_path: Path) -> None:
    status, _, errors = await ran(tmp_path, "run", DEV_GUILD_ID="555")
    assert status == 2, errors
    assert "DEV_GUILD_ID: the bot isn't in server 555" in errors
    assert "Traceback" not in errors


@pytest.mark.promise
async def test_a_discord_that_is_away_stops_it_and_all_else_is_looked_at(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", "http://127.0.0.1:9/api/v10")
    findings = await found(around)
    assert stopping(findings) == {"Discord"}
    assert "Check this machine's network" in findings["Discord"].words
    assert "Studii" in findings


async def test_an_encryption_key_that_is_missing_from_a_database_in_use_is_told_before_it_is_replaced(
    tmp_path: Path, around: dict[str, str]
) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    findings = await found(around)
    assert findings["Encryption key"].verdict == WARN
    assert "Put it back" in findings["Encryption key"].words
    assert not await asyncio.to_thread((tmp_path / "data" / "encryption.key").exists)


@pytest.mark.promise
async def test_the_doctor_finds_a_good_setup_good(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    async with StudiiServer() as studii:
        status, told, errors = await ran(tmp_path, "doctor", STUDII_API_URL=studii.url, COLUMNS="300")
    assert status == 0, errors
    assert "stops" not in told
    for sentence in ("The token belongs to Studii", "Writable", "all sums agree", "answers"):
        assert sentence in told
    assert SECRET not in told + errors


@pytest.mark.promise
async def test_the_doctor_changes_nothing_before_the_first_start(tmp_path: Path) -> None:
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "The first start makes" in told
    assert "jobs wait" in told  # Studii is not there
    assert not (tmp_path / "data").exists()


@pytest.mark.promise
async def test_the_doctor_recomputes_the_ledger(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        columns = (
            "id, guild_id, channel_id, user_id, tool, inputs, variant, private, state, version, created_at, "
            "changed_at, estimate, reserved, settled, attempts, posting"
        )
        values = "'00112233445566aa', 1, 1, 1, 'studio', '{}', '', 0, 'failed', 1, "
        moments = "'2026-03-02 12:00:00.000000', '2026-03-02 12:00:00.000000', 8, 0, 8, 0, 0"
        connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({values}{moments})")  # noqa: S608
        connection.commit()
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 1
    assert "The sums of 1 job differ." in told


@pytest.mark.promise
async def test_the_doctor_says_whose_key_the_encryption_key_does_not_open(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    Vault.open((), tmp_path / "data" / "encryption.key")
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "doesn't open the Studii keys of 1 server." in told


def a_file_for_a_folder(folder: Path) -> None:
    (folder / "data").write_text("in the way")


def a_file_for_the_spool(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "spool").write_text("in the way")


def no_database(folder: Path) -> None:
    database(folder).parent.mkdir()
    database(folder).write_text("Dear diary. " * 500)


def of_another_program(folder: Path) -> None:
    database(folder).parent.mkdir()
    with closing(sqlite3.connect(database(folder))) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")


def a_key_file_without_a_key(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "encryption.key").write_text("garbage")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("before", "what", "remedy"),
    [
        (a_file_for_a_folder, None, "Allow the bot to write there"),
        (a_file_for_the_spool, None, "can't be used (file exists). Allow the bot to write there"),
        (no_database, "Database", "isn't an SQLite database. Set DATABASE_URL to another file"),
        (of_another_program, "Database", "belongs to another program. Set DATABASE_URL"),
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
        assert stopping(await found(around)) == set()


async def test_an_own_file_of_tools_is_told_as_the_start_tells_it(
    tmp_path: Path, around: dict[str, str]
) -> None:
    own = {**around, "studii_tools_file": str(tmp_path / "tools.toml")}
    findings = await found(own)
    assert stopping(findings) == {"Tools"}
    assert "tools.toml can't be read" in findings["Tools"].words
    shutil.copy(Path(catalog.__file__).with_name("tools.toml"), tmp_path)
    assert (await found(own))["Tools"].verdict == GOOD


@pytest.mark.parametrize(
    ("free", "verdict", "remedy"),
    [
        (1_000_000, STOPS, "Free some space"),
        (500_000_000, WARN, "Lower SPOOL_MB or free some space"),
    ],
)
async def test_a_disk_that_is_nearly_full_is_told(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch, free: int, verdict: str, remedy: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", with_free(free))
    findings = await found(around)
    assert findings["Disk"].verdict == verdict
    assert remedy in findings["Disk"].words
    assert stopping(findings) == ({"Disk"} if verdict == STOPS else set())


@pytest.mark.promise
async def test_a_photo_that_the_bot_removes_while_doctor_looks_is_no_fault(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", with_free(1_998_000_000))  # enough for what is not used yet
    spool = tmp_path / "data" / "spool"
    spool.mkdir(parents=True)
    (spool / "still-here").write_bytes(bytes(3_000_000))
    (spool / "gone").symlink_to(spool / "removed")  # it is listed, and has no size any more
    findings = await found(around)
    assert findings["Disk"].verdict == GOOD
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
        (1_000_000, STOPS, "The bot needs at least 10 MB. Free some space"),
        (500_000_000, WARN, "Lower SPOOL_MB or free some space"),
        (9_000_000_000, GOOD, "use 0 of 2,000 MB."),
    ],
)
async def test_a_spool_with_a_disk_of_its_own_has_a_line_of_its_own(
    tmp_path: Path,
    around: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    another_disk: Path,
    *,
    free: int,
    verdict: str,
    remedy: str,
) -> None:
    spool = tmp_path / "data" / "spool"
    spool.parent.mkdir()
    spool.symlink_to(another_disk)

    def usage(path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free if path == spool else 20_000_000)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    findings = await found(around)
    assert findings["Disk"].verdict == GOOD
    assert findings["Disk"].words.startswith("20 MB free on the disk of ")
    assert findings["Spool"].verdict == verdict
    assert findings["Spool"].words.startswith(f"{free // 1_000_000:,} MB free on the disk of {spool}.")
    assert remedy in findings["Spool"].words
    assert stopping(findings) == ({"Spool"} if verdict == STOPS else set())


async def test_a_postgresql_of_an_earlier_version_is_to_be_backed_up_as_the_start_makes_no_copy(
    postgresql: str,
) -> None:
    url = await new_database(postgresql)
    await migrate(url, "0036")
    settings = Settings.read(discord_token=TOKEN, database_url=url)
    (finding,) = [one async for one in check_database(settings)]
    assert finding.verdict == WARN
    assert finding.words.startswith("Schema 0036. The next start upgrades it to ")
    assert finding.words.endswith(". Back it up with pg_dump first.")
