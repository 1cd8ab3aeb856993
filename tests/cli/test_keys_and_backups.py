"""Encryption keys in the settings, a backup taken back and started on, and databases of other kinds."""

import asyncio
import signal
import sqlite3
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from discord.http import Route

from bot.cli.checks_database import SOUND_SQLITE
from bot.cli.doctor import examine
from bot.cli.findings import Verdict
from bot.config import Settings
from bot.storage import CannotDecrypt
from sandbox.discord.emulator import TOKEN, DiscordServer
from sandbox.studii import StudiiServer
from tests.cli.test_commands import SECRET, database, keep_key, kept_key, looked_after, ran
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_database
from tests.support.process import bot_process

NOWHERE = "http://127.0.0.1:9/api/v1"


async def test_the_first_of_several_encryption_keys_seals_everything_anew(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await keep_key(tmp_path, SECRET, old)
    status, told, errors = await ran(tmp_path, "rotate-keys", ENCRYPTION_KEYS=f"{new},{old}")
    assert status == 0, errors
    assert "Remove the other keys from it" in told
    assert await kept_key(tmp_path, new) == SECRET
    with pytest.raises(CannotDecrypt):
        await kept_key(tmp_path, old)
    assert not {old, new} & set(told.split())


async def test_a_file_with_a_wrong_encryption_key_is_named_before_anything_is_created(
    tmp_path: Path,
) -> None:
    (tmp_path / "keys").write_text("nonsense")
    status, _, errors = await ran(tmp_path, "run", ENCRYPTION_KEYS_FILE="keys")
    assert status == 2
    assert "ENCRYPTION_KEYS_FILE (keys): key 1 of 1 isn't an encryption key." in errors
    assert "nonsense" not in errors
    assert not database(tmp_path).exists()


async def test_encryption_keys_in_a_file_are_rotated_and_named_as_that(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await keep_key(tmp_path, SECRET, old)
    (tmp_path / "keys").write_text(f"{new}\n{old}\n")
    settings = {"ENCRYPTION_KEYS_FILE": "keys"}
    status, told, errors = await ran(tmp_path, "rotate-keys", **settings)
    assert status == 0, errors
    assert "encrypted with the first key of ENCRYPTION_KEYS_FILE" in told
    assert await kept_key(tmp_path, new) == SECRET
    _, told, _ = await ran(tmp_path, "backup", "copy.db", **settings)
    assert f"in {tmp_path / 'keys'} (ENCRYPTION_KEYS_FILE)" in told


async def test_before_a_rotation_an_older_encryption_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await keep_key(tmp_path, SECRET, old)
    assert await kept_key(tmp_path, new, old) == SECRET
    status, _, errors = await ran(tmp_path, "rotate-keys", ENCRYPTION_KEYS=new)
    assert status == 2
    assert "1 Studii key was not changed" in errors
    assert await kept_key(tmp_path, old) == SECRET


async def test_the_bot_starts_on_a_backup_that_was_taken_back_in_place_of_a_damaged_database(
    tmp_path: Path,
) -> None:
    await keep_key(tmp_path)
    assert (await ran(tmp_path, "backup", "copy.db"))[0] == 0
    (tmp_path / "data" / "studii.db.lock").touch()  # as the bot leaves it
    damaged = b"what is left of it" * 1000
    (tmp_path / "data" / "studii.db").write_bytes(damaged)
    status, _, errors = await ran(tmp_path, "restore", "copy.db")
    assert status == 0, errors
    assert (tmp_path / "data" / "studii.db.replaced-1").read_bytes() == damaged
    async with (
        DiscordServer(guilds=[100]) as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL=NOWHERE) as process,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        await looked_after(process)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0, errors
        # Its key can be read: nobody is asked for it again.
        assert not [one for one in discord.posted if "enter the Studii key again" in str(one)]
    assert await kept_key(tmp_path) == SECRET


@pytest.mark.parametrize("command", ["backup", "restore"])
async def test_a_postgresql_database_is_left_to_its_own_tools(tmp_path: Path, command: str) -> None:
    url = "postgresql://bot:word@127.0.0.1:9/studii"
    status, _, errors = await ran(tmp_path, command, "copy.db", DATABASE_URL=url)
    assert status == 2
    assert "pg_dump" in errors
    assert "word" not in errors.replace("password", "")


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


async def test_a_postgresql_that_is_not_there_is_named_as_it_was_written_and_without_its_password(
    tmp_path: Path,
) -> None:
    url = "postgresql://bot:pass-phrase@127.0.0.1:9/studii"
    status, _, errors = await ran(tmp_path, "run", DATABASE_URL=url)
    assert status == 2
    assert "The database at postgresql://bot:***@127.0.0.1:9/studii can't be used" in errors
    assert "pass-phrase" not in errors


@pytest.mark.parametrize(("version", "verdict"), [((3, 51, 2), Verdict.LOOK), (SOUND_SQLITE, Verdict.GOOD)])
async def test_the_doctor_warns_of_an_sqlite_that_can_lose_what_a_checkpoint_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], verdict: Verdict
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
    async with DiscordServer() as discord:
        monkeypatch.setattr(Route, "BASE", discord.api)
        found = await examine(Settings.read(discord_token=TOKEN, studii_api_url=NOWHERE))
    (sqlite,) = (one for one in found if one.what == "SQLite")
    assert sqlite.verdict is verdict
    assert ("keep backups" in sqlite.words) is (verdict is Verdict.LOOK)
