"""`doctor` fails exactly where the bot would not start or not work, and says in plain words what to do."""

import asyncio
import re
import shutil
import socket
import sqlite3
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from discord.http import Route

from bot.cli import checks_database as in_database
from bot.cli import checks_settings as in_settings
from bot.cli.checks_online import reach
from bot.cli.doctor import examine
from bot.cli.findings import Finding, Verdict
from bot.config import Settings
from bot.media import decoder_process
from bot.media.decoder_process import DecoderProcess
from bot.storage import instance_lock, migrate
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.studii import StudiiServer
from tests.cli.test_commands import database, keep_key, ran
from tests.support.postgresql import new_database

DRIVERS = ("sqlite3", "sqlalchemy", "Traceback", "Errno", "ssl:", "malformed", "aiosqlite")


@pytest.fixture
async def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[dict[str, str]]:
    """The settings of a bot that has all it needs, from an empty folder."""
    monkeypatch.chdir(tmp_path)
    async with DiscordServer(guilds=[100]) as discord, StudiiServer() as studii:
        monkeypatch.setattr(Route, "BASE", discord.api)
        yield {"discord_token": TOKEN, "studii_api_url": studii.url}


def with_free(free: int) -> Callable[[Path], SimpleNamespace]:
    """`shutil.disk_usage` of a disk that has so many bytes left."""

    def usage(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=free)

    return usage


async def found(settings: dict[str, str]) -> dict[str, Finding]:
    findings = await examine(Settings.read(**settings))
    for one in findings:
        assert not [word for word in DRIVERS if word in one.words], one.words
    return {one.what: one for one in findings}


def stopping(findings: dict[str, Finding]) -> set[str]:
    return {what for what, one in findings.items() if one.verdict is Verdict.STOPS}


async def test_nothing_stops_a_good_setup_before_and_after_the_first_start(
    tmp_path: Path, around: dict[str, str]
) -> None:
    assert stopping(await found(around)) == set()
    await keep_key(tmp_path)
    findings = await found(around)
    assert stopping(findings) == set()
    assert set(findings) == {
        *(
            "Settings",
            "Version",
            "Discord",
            "Clock",
            "Intents",
            "Reach",
            "Catalogue",
            "Folder",
            "Disk",
            "Bot",
        ),
        *("Encryption key", "Database", "Ledger", "SQLite", "Pictures", "Studii"),
    }


@pytest.mark.parametrize(
    ("token", "remedy"),
    [
        ("", "Paste the token from your application's Bot page"),
        ("Bot sandbox.bot.token", "Paste only the token"),
        ("7001", "not the application's id, public key or client secret"),
    ],
)
async def test_a_wrong_token_is_a_line_of_the_table_and_says_which_is_right(
    tmp_path: Path, token: str, remedy: str
) -> None:
    status, told, errors = await ran(tmp_path, "doctor", DISCORD_TOKEN=token, COLUMNS="300")
    assert (status, errors) == (1, "")
    assert "stops" in told
    assert remedy in told


async def test_wrong_settings_are_lines_of_the_table_and_all_else_is_checked(
    tmp_path: Path, around: dict[str, str]
) -> None:
    await keep_key(tmp_path)
    status, told, errors = await ran(
        tmp_path,
        "doctor",
        SPOOL_MB="lots",
        DISCORD_TOKEN="",
        STUDII_API_URL=around["studii_api_url"],
        COLUMNS="300",
    )
    assert (status, errors) == (1, "")
    for sentence in (
        "SPOOL_MB must be a whole number.",
        "DISCORD_TOKEN is empty",
        "Not checked: fix DISCORD_TOKEN first.",
        "Not checked: fix SPOOL_MB first.",
        "Writable",
        "all sums agree",
        "answers",
    ):
        assert sentence in told


async def test_files_of_secrets_that_are_missing_are_lines_of_the_table(
    tmp_path: Path, around: dict[str, str]
) -> None:
    status, told, errors = await ran(
        tmp_path,
        "doctor",
        DISCORD_TOKEN="",
        DISCORD_TOKEN_FILE="nope",
        ENCRYPTION_KEYS_FILE="nowhere",
        STUDII_API_URL=around["studii_api_url"],
        COLUMNS="300",
    )
    assert (status, errors) == (1, "")
    assert "DISCORD_TOKEN can't be read from nope" in told
    assert "ENCRYPTION_KEYS can't be read from nowhere" in told
    assert "both set" not in told
    assert "answers" in told


async def test_a_dotenv_file_that_is_no_text_is_a_line_of_the_table(
    tmp_path: Path, around: dict[str, str]
) -> None:
    (tmp_path / ".env").write_bytes(b"\xff")
    status, told, errors = await ran(
        tmp_path, "doctor", STUDII_API_URL=around["studii_api_url"], COLUMNS="300"
    )
    assert (status, errors) == (1, "")
    assert told.count("Save it as UTF-8") == 1
    assert "Not checked: fix the file .env first." in told


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


def test_a_dotenv_file_that_another_group_can_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(f"DISCORD_TOKEN={TOKEN}\n")
    file.chmod(0o640)
    for own in (True, False):

        def is_own(_user: int, _group: int, own: bool = own) -> bool:
            return own

        monkeypatch.setattr(in_settings, "_own_group", is_own)
        findings = {one.what: one for one in in_settings.settings({})}
        assert (".env" in findings) is not own
    assert "Every user in the group" in findings[".env"].words


async def test_a_file_that_is_no_database_is_not_called_empty(tmp_path: Path, around: dict[str, str]) -> None:
    (tmp_path / "data").mkdir()
    database(tmp_path).write_bytes(b"x")
    findings = await found(around)
    assert "Database" not in findings or findings["Database"].verdict is Verdict.STOPS
    assert any("isn't an SQLite database" in one.words for one in findings.values())


async def test_a_wrong_database_address_is_not_taken_for_an_empty_database(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "mysql://db/studii")
    settings, wrong = Settings.read_leniently(**around)
    findings = {one.what: one for one in await examine(settings, wrong)}
    assert stopping(findings) == {"Settings"}
    for what in ("Folder", "Disk", "Bot", "Encryption key", "Database", "SQLite"):
        assert findings[what].words == "Not checked: fix DATABASE_URL first."
    assert findings["Discord"].verdict is Verdict.GOOD


@pytest.mark.parametrize(
    ("line", "mode", "minded"),
    [
        (f"DISCORD_TOKEN={TOKEN}", 0o644, True),
        (f"discord_token={TOKEN}", 0o602, True),
        (f"DISCORD_TOKEN={TOKEN}", 0o600, False),
        ("DATABASE_URL=postgresql://bot:word@db/studii", 0o644, True),
        ("ENCRYPTION_KEYS=newest", 0o644, True),
        ("DISCORD_TOKEN=\nDISCORD_TOKEN_FILE=/run/secrets/discord_token", 0o644, False),
    ],
)
def test_a_dotenv_file_that_every_user_can_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, mode: int, minded: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / ".env"
    file.write_text(f"{line}\n")
    file.chmod(mode)
    findings = {one.what: one for one in in_settings.settings({})}
    assert (".env" in findings) is minded
    if minded:
        assert findings[".env"].verdict is Verdict.LOOK
        assert f"chmod 600 {file}" in findings[".env"].words


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


@pytest.mark.parametrize(
    ("before", "what", "remedy"),
    [
        (a_file_for_a_folder, "Folder", "where the bot needs a folder. Move it"),
        (a_file_for_the_spool, "Folder", "where the bot needs a folder. Move it"),
        (a_folder_for_the_database, "Folder", "where the bot needs a file. Move it"),
        (no_database, "Database", "isn't an SQLite database. Set DATABASE_URL to another file"),
        (of_another_program, "Database", "belongs to another program. Set DATABASE_URL"),
        (of_another_program_with_revisions, "Database", "belongs to another program. Set DATABASE_URL"),
        (a_key_file_without_a_key, "Encryption key", "Put its last copy back."),
    ],
)
async def test_what_is_in_the_bots_place_stops_it_and_is_found(
    tmp_path: Path, around: dict[str, str], before: Callable[[Path], None], what: str, remedy: str
) -> None:
    before(tmp_path)
    findings = await found(around)
    assert what in stopping(findings)
    assert remedy in findings[what].words
    status, _, errors = await ran(tmp_path, "run")
    assert status == 2, errors
    assert not [word for word in DRIVERS if word in errors], errors


async def test_a_folder_that_may_not_be_written_is_given_to_the_one_who_runs_the_bot(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_key(tmp_path)

    def allowed(path: Path, _mode: int) -> bool:  # modes do not stop root
        return path != tmp_path / "data"

    monkeypatch.setattr("os.access", allowed)
    findings = await found(around)
    assert stopping(findings) == {"Folder"}
    assert "chown -R" in findings["Folder"].words


async def damage(folder: Path, sql: str) -> None:
    await keep_key(folder)
    with closing(sqlite3.connect(database(folder))) as connection:
        connection.execute(sql)
        connection.commit()


async def test_a_database_of_a_newer_version_stops_it(tmp_path: Path, around: dict[str, str]) -> None:
    await damage(tmp_path, "UPDATE alembic_version SET version_num = '9001'")
    findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "newer version of the bot (schema 9001" in findings["Database"].words
    assert "Start the newer version again" in findings["Database"].words


@pytest.mark.parametrize("sql", ["DROP TABLE ledger", "DROP TABLE jobs"])
async def test_a_database_that_lacks_a_table_stops_it(
    tmp_path: Path, around: dict[str, str], sql: str
) -> None:
    await damage(tmp_path, sql)
    findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "Restore a backup" in findings["Database"].words


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
    monkeypatch.setattr("bot.cli.checks_database.WRITE_CHECK_SECONDS", 0.3)
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
        (500_000_000, Verdict.LOOK, "Lower SPOOL_MB or free some space"),
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


@pytest.mark.parametrize(
    ("servers", "members", "content", "advice"),
    [
        (3, 100, True, ()),
        (2_100, 1, True, ("From 2,500 servers",)),
        (3, 3_000, True, ("From 10,000 users",)),
        (3, 3_000, False, ()),
    ],
)
async def test_a_bot_that_nears_discords_limits_for_large_ones_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    servers: int,
    members: int,
    content: bool,
    advice: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    async with DiscordServer(guilds=range(1, servers + 1)) as discord:
        monkeypatch.setattr(Route, "BASE", discord.api)
        for guild in discord.places.guilds.values():
            guild.member_count = members
        wanted = "auto" if content else "off"
        (finding,) = await reach(Settings.read(discord_token=TOKEN, message_content=wanted))
    assert f"{servers:,} servers with about {servers * members:,} members" in finding.words
    assert finding.verdict is (Verdict.LOOK if advice else Verdict.GOOD)
    assert all(words in finding.words for words in advice)


@pytest.mark.parametrize(("off", "where"), [(95, "ahead of"), (-3_600, "behind")])
async def test_a_clock_that_is_off_is_told(
    around: dict[str, str], monkeypatch: pytest.MonkeyPatch, off: int, where: str
) -> None:
    assert (await found(around))["Clock"].verdict is Verdict.GOOD

    def now(_: object) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=off)

    monkeypatch.setattr("bot.client.login.SystemClock.now", now)
    clock = (await found(around))["Clock"]
    assert clock.verdict is Verdict.LOOK
    seconds = re.search(rf"is ([\d,]+) seconds {where} Discord's", clock.words)
    assert seconds is not None
    assert abs(int(seconds[1].replace(",", "")) - abs(off)) <= 10  # Discord tells whole seconds, some ago


async def test_no_room_for_the_copy_before_an_update_stops_it(
    tmp_path: Path, around: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await damage(tmp_path, "UPDATE alembic_version SET version_num = '0001'")
    assert (await found(around))["Database"].verdict is Verdict.LOOK
    monkeypatch.setattr(shutil, "disk_usage", with_free(10_100_000))
    findings = await found(around)
    assert stopping(findings) == {"Database"}
    assert "Free some space" in findings["Database"].words


async def test_a_postgresql_of_an_earlier_version_is_to_be_backed_up_as_the_start_makes_no_copy(
    postgresql: str,
) -> None:
    url = await new_database(postgresql)
    await migrate(url, "0036")
    (finding,) = await in_database.database(Settings.read(discord_token=TOKEN, database_url=url))
    assert finding.verdict is Verdict.LOOK
    assert finding.words.startswith("Schema 0036. The next start upgrades it to ")
    assert finding.words.endswith(". Back it up with pg_dump first.")


async def test_a_port_that_is_taken_stops_it(tmp_path: Path, around: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        findings = await found({**around, "health_port": port})
        assert stopping(findings) == {"Health port"}
        status, _, errors = await ran(tmp_path, "run", HEALTH_PORT=port)
        assert status == 2
        assert "can't be used (address already in use). Set another port" in errors
    assert stopping(await found({**around, "health_port": port})) == set()


async def test_a_server_for_developing_in_which_the_bot_is_not_stops_it(
    tmp_path: Path, around: dict[str, str]
) -> None:
    assert stopping(await found({**around, "dev_guild_id": "100"})) == set()
    findings = await found({**around, "dev_guild_id": "555"})
    assert stopping(findings) == {"Commands"}
    status, _, errors = await ran(tmp_path, "run", DEV_GUILD_ID="555")
    assert status == 2, errors
    assert "DEV_GUILD_ID: the bot isn't in server 555" in errors
    assert "Traceback" not in errors


async def test_a_studii_that_is_away_does_not_stop_it(around: dict[str, str]) -> None:
    findings = await found({**around, "studii_api_url": "http://127.0.0.1:9/api/v1"})
    assert stopping(findings) == set()
    assert findings["Studii"].verdict is Verdict.LOOK
    assert "can't be reached (ClientConnectorError). Check" in findings["Studii"].words
    assert "jobs wait" in findings["Studii"].words


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
    assert findings["Encryption key"].verdict is Verdict.LOOK
    assert "Put it back" in findings["Encryption key"].words
    assert not await asyncio.to_thread((tmp_path / "data" / "encryption.key").exists)


async def test_message_content_that_is_not_wanted_is_no_finding(around: dict[str, str]) -> None:
    assert (await found(around))["Intents"].verdict is Verdict.LOOK
    assert (await found({**around, "message_content": "off"}))["Intents"].verdict is Verdict.GOOD


async def test_rows_that_cannot_be_read_are_named(around: dict[str, str], tmp_path: Path) -> None:
    await keep_key(tmp_path)
    with closing(sqlite3.connect(database(tmp_path))) as file, file:
        file.execute(
            "INSERT INTO photo_channels (guild_id, channel_id, kind, tool, inputs, most) "
            "VALUES (7, 8, 'auto', 'photo-restore', '{', 1)"
        )
    (found,) = [one for one in await examine(Settings.read(**around)) if one.what == "Rows"]
    assert found.verdict is Verdict.LOOK
    assert "1 row can't be read: photo_channels 7 8." in found.words


async def test_the_limits_of_the_processes_that_open_pictures_are_looked_at(
    around: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = (await found(around))["Pictures"]
    if sys.platform == "linux":
        assert pictures.verdict is Verdict.GOOD

    real = DecoderProcess.start

    async def start() -> DecoderProcess:
        process = await real()
        process.missing = ("memory", "processor time")
        return process

    with monkeypatch.context() as patch:
        patch.setattr(DecoderProcess, "start", start)
        lacking = (await found(around))["Pictures"]
    assert lacking.verdict is Verdict.LOOK
    assert "can't limit the memory and processor time of a process" in lacking.words

    (tmp_path / "program.py").write_text("raise ModuleNotFoundError('No module named PIL')")
    monkeypatch.setattr(decoder_process, "_PROGRAM", tmp_path / "program.py")
    broken = (await found(around))["Pictures"]
    assert broken.verdict is Verdict.STOPS
    assert "No module named PIL" in broken.words
