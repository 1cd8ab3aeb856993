"""What an operator types beside `run`: each is a process of its own, as on their machine."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.domain import Plan
from bot.storage import CannotDecrypt, Storage, Vault
from sandbox.discord.emulator import APPLICATION_ID, DiscordServer, Rules
from sandbox.studii import StudiiServer
from tests.support.database import database as new_database
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE
from tests.support.process import bot_process, environment, until_it_says

SECRET = "stu_0123456789abcdef"
NOW = datetime(2026, 3, 2, tzinfo=UTC)


async def ran(folder: Path, *arguments: str, **settings: str) -> tuple[int | None, str, str]:
    async with DiscordServer() as discord, bot_process(discord, folder, *arguments, **settings) as process:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode, " ".join(out.decode().split()), " ".join(errors.decode().split())


def database(folder: Path) -> Path:
    return folder / "data" / "studii.db"


async def made_database(folder: Path) -> str:
    """The address of the database in its place, with all tables."""
    database(folder).parent.mkdir(exist_ok=True)
    return await new_database(database(folder).parent)


async def keep_key(folder: Path, secret: str = SECRET, *keys: str) -> None:
    """What a server's admin does: their key is in the database, sealed."""
    url = await made_database(folder)
    vault = Vault.open(keys, folder / "data" / "encryption.key")
    async with Storage.open(url) as storage, storage.write() as transaction:
        key = await transaction.keys.add(100, "lane", secret[-4:], Plan.PRO, vault.seal(secret), NOW)
        await transaction.guilds.set_key(100, key.id, NOW)


async def kept_key(folder: Path, *keys: str) -> str:
    vault = Vault.open(keys, folder / "data" / "encryption.key")
    async with (
        Storage.open(f"sqlite+aiosqlite:///{database(folder)}") as storage,
        storage.read() as transaction,
    ):
        key = await transaction.keys.current(100)
    assert key is not None
    return vault.unseal(key.ciphertext)


async def test_the_doctor_finds_a_good_setup_good(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    async with StudiiServer() as studii:
        status, told, errors = await ran(tmp_path, "doctor", STUDII_API_URL=studii.url, COLUMNS="300")
    assert status == 0, errors
    assert "stops" not in told
    for sentence in ("The token belongs to Studii", "Writable", "all sums agree", "answers", "5 tools"):
        assert sentence in told
    assert SECRET not in told + errors


async def test_the_doctor_changes_nothing_before_the_first_start(tmp_path: Path) -> None:
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "The first start makes" in told
    assert "jobs wait" in told  # Studii is not there
    assert not (tmp_path / "data").exists()


async def test_the_doctor_fails_when_something_would_stop_the_bot(tmp_path: Path) -> None:
    tools = tmp_path / "tools.toml"
    tools.write_text("nonsense")
    status, told, _ = await ran(
        tmp_path,
        "doctor",
        DISCORD_TOKEN="a.wrong.one",
        STUDII_TOOLS_FILE=str(tools),
        STUDII_API_URL="http://127.0.0.1:9",
        COLUMNS="300",
    )
    assert status == 1
    assert "Discord refused DISCORD_TOKEN" in told
    assert "tools.toml" in told


async def test_the_doctor_recomputes_the_ledger(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        columns = (
            "id, guild_id, channel_id, user_id, tool, inputs, variant, private, state, version, created_at, "
            "changed_at, estimate, reserved, settled, attempts, card_version, posting"
        )
        values = "'00112233445566aa', 1, 1, 1, 'studio', '{}', '', 0, 'failed', 1, "
        moments = "'2026-03-02 12:00:00.000000', '2026-03-02 12:00:00.000000', 8, 0, 8, 0, 0, 0"
        connection.execute(f"INSERT INTO jobs ({columns}) VALUES ({values}{moments})")  # noqa: S608
        connection.commit()
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 1
    assert "sums differ" in told


async def test_the_doctor_says_whose_key_the_encryption_key_does_not_open(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    Vault.open((), tmp_path / "data" / "encryption.key")
    status, told, _ = await ran(tmp_path, "doctor", STUDII_API_URL="http://127.0.0.1:9", COLUMNS="300")
    assert status == 0
    assert "doesn't open the Studii keys of 1 server." in told


async def test_the_invitation_asks_for_the_least(tmp_path: Path) -> None:
    status, told, errors = await ran(tmp_path, "invite")
    assert status == 0, errors
    asked = parse_qs(urlsplit(told).query)
    assert asked["client_id"] == [str(APPLICATION_ID)]
    assert set(asked["scope"][0].split()) == {"bot", "applications.commands"}
    permissions = int(asked["permissions"][0])
    assert permissions == sum(1 << bit for bit in (6, 10, 11, 15, 16, 18, 38))  # none that manages anything


async def test_what_works_on_files_alone_needs_no_token_and_minds_no_other_setting(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    for command in (("backup", "copy.db"), ("restore", "copy.db"), ("rotate-keys",)):
        status, _, errors = await ran(tmp_path, *command, DISCORD_TOKEN="", SPOOL_MB="lots")
        assert status == 0, errors
    assert await kept_key(tmp_path) == SECRET


async def test_a_backup_is_whole_while_the_bot_writes_and_is_for_the_owner_alone(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    url = f"sqlite+aiosqlite:///{database(tmp_path)}"
    async with Storage.open(url) as storage:  # as the running bot has it: what is new stands in the log
        async with storage.write() as transaction:
            await transaction.meta.set("written", b"last")
        status, told, errors = await ran(tmp_path, "backup", "copy.db")
    assert status == 0, errors
    copy = tmp_path / "copy.db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert str(tmp_path / "data" / "encryption.key") in told
    assert told.endswith("stop the bot and run: python -m bot restore copy.db")
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT value FROM meta WHERE name = 'written'").fetchone() == (b"last",)
    assert SECRET.encode() not in copy.read_bytes()


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


async def test_a_backup_replaces_no_file(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "copy.db").write_text("dear")
    status, _, errors = await ran(tmp_path, "backup", "copy.db")
    assert status == 2
    assert "already exists" in errors
    (tmp_path / "other.db.part").write_text("dear")
    status, _, errors = await ran(tmp_path, "backup", "other.db")
    assert status == 0, errors
    assert [(tmp_path / name).read_text() for name in ("copy.db", "other.db.part")] == ["dear"] * 2
    assert names_in(tmp_path) == {"copy.db", "data", "other.db", "other.db.part"}


async def test_a_backup_that_can_not_be_written_says_where_it_can(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    too_long = "x" * 250  # for anything to be added
    status, _, errors = await ran(tmp_path, "backup", too_long)
    assert status == 2
    assert "Name a place that the bot's user can write to" in errors


async def test_a_backup_makes_no_folder(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    status, _, errors = await ran(tmp_path, "backup", "missing/copy.db")
    assert status == 2
    assert f"The folder {tmp_path / 'missing'} doesn't exist. Create it, or name another place." in errors
    assert not (tmp_path / "missing").exists()


async def test_a_database_of_another_program_is_not_backed_up(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(database(tmp_path))) as connection:
        connection.execute("CREATE TABLE bookmarks (name TEXT)")
    status, told, errors = await ran(tmp_path, "backup", "copy.db")
    assert (status, told) == (2, "")
    assert "belongs to another program" in errors
    assert not (tmp_path / "copy.db").exists()


@pytest.mark.parametrize("given", ["copy.db", "-"])
async def test_a_file_of_another_program_is_not_replaced_by_a_backup(tmp_path: Path, given: str) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    folder = tmp_path / "theirs"
    folder.mkdir()
    with closing(sqlite3.connect(folder / "places.sqlite")) as connection:
        connection.execute("CREATE TABLE bookmarks (name TEXT)")
    (folder / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    for name in ("places.sqlite", "passwd"):
        (folder / name).chmod(0o644)
        before = {one.name: (one.read_bytes(), one.stat().st_mode) for one in folder.iterdir()}
        address = f"sqlite+aiosqlite:///{folder / name}"
        status, told, errors = await ran(tmp_path, "restore", given, DATABASE_URL=address)
        assert (status, told) == (2, "")
        assert errors.count(str(folder / name)) == 1
        assert "DATABASE_URL" in errors
        after = {one.name: (one.read_bytes(), one.stat().st_mode) for one in folder.iterdir()}
        assert after == before


async def test_the_database_itself_is_not_taken_back(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    status, _, errors = await ran(tmp_path, "restore", str(database(tmp_path)))
    assert status == 2
    assert "is the database itself" in errors


async def test_a_backup_is_taken_back_and_what_was_there_is_kept(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    await keep_key(tmp_path, "stu_another_key_since")
    status, told, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 0, errors
    assert "studii.db.replaced-1" in told
    assert await kept_key(tmp_path) == SECRET
    assert (tmp_path / "data" / "studii.db.replaced-1").exists()


async def test_what_is_no_backup_is_not_taken_back(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "copy.db").write_text("no database, whatever its name says")
    status, _, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 2
    assert "isn't a sound backup" in errors
    assert await kept_key(tmp_path) == SECRET


async def test_a_running_bot_keeps_its_database_and_its_keys(tmp_path: Path) -> None:
    async with (
        DiscordServer() as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9"),
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
        for command in (("restore", "copy.db"), ("rotate-keys",)):
            status, _, errors = await ran(tmp_path, *command)
            assert status == 2
            assert "Stop it first" in errors


async def test_a_key_file_of_our_own_is_rotated(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    file = tmp_path / "data" / "encryption.key"
    old = file.read_text()
    status, told, errors = await ran(tmp_path, "rotate-keys")
    assert status == 0, errors
    assert "Done" in told
    assert len(file.read_text().split()) == 1
    assert file.read_text() != old
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert await kept_key(tmp_path) == SECRET
    kept = tmp_path / "data" / "encryption.key.before-1"
    assert kept.name in told
    assert kept.read_text() == old  # for backups made before
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    file.write_text(old)
    with pytest.raises(CannotDecrypt):
        await kept_key(tmp_path)


async def test_where_there_is_no_database_nothing_is_rotated(tmp_path: Path) -> None:
    status, _, errors = await ran(tmp_path, "rotate-keys")
    assert status == 2
    assert "There is no database yet" in errors
    assert not (tmp_path / "data" / "encryption.key").exists()


async def test_a_rotation_that_cannot_read_a_key_throws_no_encryption_key_away(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    file = tmp_path / "data" / "encryption.key"
    file.unlink()
    Vault.open((), file)
    other = file.read_text().strip()
    status, _, errors = await ran(tmp_path, "rotate-keys")
    assert status == 2
    assert "1 Studii key was not changed" in errors
    assert other in file.read_text()


async def test_health_is_asked_of_the_running_bot(tmp_path: Path, unused_tcp_port: int) -> None:
    port = {"HEALTH_PORT": str(unused_tcp_port)}
    async with (
        DiscordServer() as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9", **port),
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        status, told = 1, ""
        ended = asyncio.get_running_loop().time() + PATIENCE
        while status != 0 and asyncio.get_running_loop().time() < ended:  # the gateway is still greeting
            status, told, _ = await ran(tmp_path, "health", **port)
        assert status == 0, told
        assert '"ok": true' in told
    status, told, _ = await ran(tmp_path, "health", **port)
    assert status == 1
    assert "doesn't answer" in told


def test_asking_for_the_health_imports_little(tmp_path: Path, unused_tcp_port: int) -> None:
    """It is a process of its own every minute: what the bot itself imports costs a second of processor."""
    program = "import sys; from bot.__main__ import main; print(main(['health']), *sys.modules)"
    asked = subprocess.run(  # noqa: S603
        (sys.executable, "-c", program),
        cwd=tmp_path,
        env=environment({"HEALTH_PORT": str(unused_tcp_port)}),
        capture_output=True,
        text=True,
        check=True,
    )
    words, _, last = asked.stdout.strip().rpartition("\n")
    status, *imported = last.split()
    assert (status, "doesn't answer" in words) == ("1", True)
    assert not {"aiohttp", "discord", "sqlalchemy", "PIL", "cryptography"} & set(imported)


async def test_the_health_is_asked_whatever_else_is_wrong(tmp_path: Path, unused_tcp_port: int) -> None:
    port = str(unused_tcp_port)
    status, told, _ = await ran(tmp_path, "health", HEALTH_PORT=port, DISCORD_TOKEN="", SPOOL_MB="lots")
    assert (status, f"http://127.0.0.1:{port}/healthz doesn't answer" in told) == (1, True)
    wrong = [
        ("", "HEALTH_PORT isn't set"),
        ("80.5", "HEALTH_PORT must be a whole number"),
        ("65536", "HEALTH_PORT must be at most 65535"),
        ("9" * 5000, "HEALTH_PORT is too large"),
    ]
    for port, sentence in wrong:
        for told in ({}, {"HEALTH_ADDRESS": "127.0.0.1"}):
            status, _, errors = await ran(tmp_path, "health", HEALTH_PORT=port, **told)
            assert (status, sentence in errors) == (2, True), errors


async def test_a_bot_whose_encryption_key_is_lost_comes_up_and_asks_the_admins_once(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    (tmp_path / "data" / "encryption.key").unlink()
    async with DiscordServer(guilds=[100], rules=Rules(identify_every=0)) as discord:
        for _ in range(2):
            # The second start has the file that the first one made: that is no reason to ask again.
            discord.ready.clear()
            async with bot_process(discord, tmp_path, "run", STUDII_API_URL="http://127.0.0.1:9") as process:
                await asyncio.wait_for(discord.ready.wait(), PATIENCE)
                await looked_after(process)
                process.send_signal(signal.SIGTERM)
                _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
                assert process.returncode == 0, errors.decode()
                assert b"Traceback" not in errors
        (asked,) = [one for one in discord.posted if "enter the Studii key again" in str(one)]
        assert "`/studii key`" in str(asked)
    assert (tmp_path / "data" / "encryption.key").exists()


async def looked_after(process: ForkedProcess) -> None:
    """Wait until the bot says that it is ready, and has done what it does then."""
    await until_it_says(process, b"Ready as")
    await asyncio.sleep(1)


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize("given", [("--version",), ("--help",), ("backup", "--help"), ("health",)])
def test_a_reader_that_has_gone_is_no_error(tmp_path: Path, given: tuple[str, ...], buffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run(  # noqa: S603 - a program of our own
            [sys.executable, "-m", "bot", *given],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment({"PYTHONUNBUFFERED": buffered, "HEALTH_PORT": "9"}),
            cwd=tmp_path,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode == (1 if given == ("health",) else 0)
