"""Commands: which there are, what they need, and `health`, which is asked every minute."""

import asyncio
import errno
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy.engine import make_url

from bot.__main__ import main
from bot.cli.health import say
from bot.errors import Unavailable
from bot.migrate import migrate
from bot.sqlite_file import ensure_sound
from bot.vault import Vault
from sandbox.discord.emulator import APPLICATION_ID, TOKEN, DiscordServer
from sandbox.studii import StudiiServer
from tests.cli.commands import SECRET, database, full_disk, keep_key, kept_key, ran
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_database
from tests.support.process import bot_process, environment


@pytest.mark.promise
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


@pytest.mark.promise
@pytest.mark.parametrize("command", [("backup", "copy.db"), ("restore", "data/copy.db"), ("rotate-keys",)])
def test_a_folder_of_another_user_is_named_with_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    stat = Path.stat

    def closed(path: Path, **options: bool) -> os.stat_result:  # modes do not stop root
        if path.parent.name == "data":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", closed)
    assert main(command) == 2
    told = capsys.readouterr().err
    assert re.match(r"The user who runs this isn't allowed to open \S*data/\S+\. If it is the bot's", told)


@pytest.mark.promise
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


@pytest.mark.promise
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


@pytest.mark.promise
async def test_the_health_is_asked_whatever_else_is_wrong(tmp_path: Path, unused_tcp_port: int) -> None:
    port = str(unused_tcp_port)
    status, told, _ = await ran(tmp_path, "health", HEALTH_PORT=port, DISCORD_TOKEN="", SPOOL_MB="lots")
    assert (status, f"http://127.0.0.1:{port}/healthz doesn't answer" in told) == (1, True)
    wrong = [
        ("", "HEALTH_PORT isn't set"),
        ("80.5", "HEALTH_PORT must be a whole number from 0 to 65535"),
        ("65536", "HEALTH_PORT must be a whole number from 0 to 65535"),
        ("9" * 5000, "HEALTH_PORT must be a whole number from 0 to 65535"),
    ]
    for port, sentence in wrong:
        for told in ({}, {"HEALTH_ADDRESS": "127.0.0.1"}):
            status, _, errors = await ran(tmp_path, "health", HEALTH_PORT=port, **told)
            assert (status, sentence in errors) == (2, True), errors


@pytest.mark.parametrize("command", ["backup", "restore"])
async def test_a_postgresql_database_is_left_to_its_own_tools(tmp_path: Path, command: str) -> None:
    url = "postgresql://bot:word@127.0.0.1:9/studii"
    status, _, errors = await ran(tmp_path, command, "copy.db", DATABASE_URL=url)
    assert status == 2
    assert "pg_dump" in errors
    assert "word" not in errors.replace("password", "")


@pytest.mark.promise
async def test_the_bot_and_the_doctor_work_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    async with StudiiServer() as studii:
        address = (await new_database(postgresql)).replace("postgresql+asyncpg", "postgresql")
        settings = {"STUDII_API_URL": studii.url, "DATABASE_URL": address}
        async with (
            DiscordServer() as discord,
            bot_process(discord, tmp_path, "run", **settings) as process,
        ):
            await asyncio.wait_for(discord.ready.wait(), PATIENCE)
            process.send_signal(signal.SIGTERM)
            _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
            assert process.returncode == 0, errors
        status, told, errors_told = await ran(tmp_path, "doctor", COLUMNS="300", **settings)
    assert status == 0, errors_told
    assert "Writable" in told
    assert "SQLite" not in told


@pytest.mark.promise
async def test_a_postgresql_that_is_not_there_is_named_as_it_was_written_and_without_its_password(
    tmp_path: Path,
) -> None:
    url = "postgresql://bot:pass-phrase@127.0.0.1:9/studii"
    status, _, errors = await ran(tmp_path, "run", DATABASE_URL=url)
    assert status == 1  # its server may start later
    assert "The database at postgresql://bot:***@127.0.0.1:9/studii can't be used" in errors
    assert "pass-phrase" not in errors


@pytest.mark.promise
async def test_a_full_disk_is_neither_a_wrong_setting_nor_a_damaged_database(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    url = f"sqlite+aiosqlite:///{database(tmp_path)}"
    with full_disk(1), pytest.raises(Unavailable, match="its disk is full"):
        ensure_sound(url)
    with full_disk(100_000), pytest.raises(Unavailable, match="its disk is full"):
        await migrate(f"sqlite+aiosqlite:///{tmp_path}/new.db")

    def refused(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", refused)
        with pytest.raises(Unavailable, match="no space left on device"):
            Vault.open((), tmp_path / "new.key")
    assert Unavailable.exit_status == 1
    assert await kept_key(tmp_path) == SECRET


def test_words_whose_reader_has_ended_are_no_error() -> None:
    """As with `… restored | head -0`: the work was done."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:  # closing it writes what is left
        say("Done.", out)


@pytest.mark.promise
async def test_a_postgresql_without_that_database_is_a_wrong_setting(tmp_path: Path, postgresql: str) -> None:
    address = make_url(postgresql).set(drivername="postgresql", database="misspelt")
    status, _, errors = await ran(tmp_path, "run", DATABASE_URL=address.render_as_string(hide_password=False))
    assert status == 2, errors
    assert "misspelt can't be used" in errors
