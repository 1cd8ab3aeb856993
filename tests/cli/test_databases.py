"""The commands on a PostgreSQL, and on an SQLite that can lose what was written."""

import asyncio
import errno
import os
import signal
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from bot.errors import Unavailable
from bot.migrate import migrate
from bot.sqlite_file import ensure_sound
from bot.vault import Vault
from sandbox.discord.emulator import DiscordServer
from sandbox.studii import StudiiServer
from tests.cli.commands import SECRET, database, full_disk, keep_key, kept_key, ran
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_database
from tests.support.process import bot_process


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


@pytest.mark.promise
async def test_a_postgresql_without_that_database_is_a_wrong_setting(tmp_path: Path, postgresql: str) -> None:
    address = make_url(postgresql).set(drivername="postgresql", database="misspelt")
    status, _, errors = await ran(tmp_path, "run", DATABASE_URL=address.render_as_string(hide_password=False))
    assert status == 2, errors
    assert "misspelt can't be used" in errors
