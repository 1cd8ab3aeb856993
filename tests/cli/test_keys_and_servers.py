"""Encryption keys, and servers that seem to have removed the bot."""

import asyncio
import os
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bot.cli.maintenance import rotate
from bot.clock import SystemClock
from bot.config import StorageSettings
from bot.db import Database
from bot.servers import keys, settings
from bot.servers.keys import Plan
from bot.vault import CannotDecrypt, Vault
from sandbox.discord.emulator import DiscordServer, Fault, Rules
from tests.cli.commands import (
    SECRET,
    database,
    keep_key,
    kept_key,
    looked_after,
    made_database,
    names_in,
    ran,
)
from tests.support.patience import PATIENCE
from tests.support.process import bot_process


@pytest.mark.promise
async def test_a_key_file_of_our_own_is_rotated(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    file = tmp_path / "data" / "encryption.key"
    old = file.read_text()
    status, told, errors = await ran(tmp_path, "rotate-keys")
    assert status == 0, errors
    assert "Done" in told
    new, *others = file.read_text().split()
    assert others == old.split()  # for backups made before
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text(new)
    assert await kept_key(tmp_path) == SECRET
    file.write_text(old)
    with pytest.raises(CannotDecrypt):
        await kept_key(tmp_path)


@pytest.mark.promise
async def test_a_rotation_that_has_to_give_up_leaves_no_new_key_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep_key(tmp_path)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "data" / "encryption.key"
    old = file.read_text()
    at = StorageSettings.read(database_url=f"sqlite:///{database(tmp_path)}")
    with closing(sqlite3.connect(database(tmp_path))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rotate(at), 1)
    assert file.read_text() == old
    await rotate(at)
    assert file.read_text().split()[1:] == old.split()


@pytest.mark.promise
async def test_a_rotation_without_the_encryption_key_makes_none(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    file = tmp_path / "data" / "encryption.key"
    file.unlink()
    status, _, errors = await ran(tmp_path, "rotate-keys")
    assert status == 2
    assert f"There is no encryption key at {file}. Put its last copy back" in errors
    assert not file.exists()


@pytest.mark.promise
@pytest.mark.skipif(os.geteuid() != 0, reason="only root's files have to be given away")
async def test_what_root_makes_belongs_to_the_database_s_owner(tmp_path: Path) -> None:
    await keep_key(tmp_path)
    data = tmp_path / "data"
    for one in (data, *data.iterdir()):
        os.chown(one, 10001, 10002)
    for command in (("rotate-keys",), ("backup", "data/copy.db"), ("restore", "data/copy.db")):
        status, _, errors = await ran(tmp_path, *command)
        assert status == 0, errors
    made = {"encryption.key", "studii.db.lock", "copy.db", "studii.db"}
    assert made <= names_in(data)
    assert {(one.stat().st_uid, one.stat().st_gid) for one in data.iterdir()} == {(10001, 10002)}


@pytest.mark.promise
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


@pytest.mark.promise
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
        assert "</studii setup:" in str(asked)
    assert (tmp_path / "data" / "encryption.key").exists()


@pytest.mark.promise
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


@pytest.mark.promise
async def test_before_a_rotation_an_older_encryption_key_still_opens_what_it_sealed(tmp_path: Path) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    await keep_key(tmp_path, SECRET, old)
    assert await kept_key(tmp_path, new, old) == SECRET
    status, _, errors = await ran(tmp_path, "rotate-keys", ENCRYPTION_KEYS=new)
    assert status == 2
    assert "1 Studii key was not changed" in errors
    assert await kept_key(tmp_path, old) == SECRET


GONE, STILL_THERE = (101, 102, 103, 104), 100
API = "http://127.0.0.1:9/api/v1"


async def keep_servers(folder: Path, missing: bool = False) -> None:
    """Servers that the bot was in, each with a Studii key; all of them may seem to have removed it."""
    url = await made_database(folder)
    now = SystemClock().now()
    async with Database.open(url) as db:
        for guild_id in (*GONE, STILL_THERE):
            key = await db.write(keys.add, guild_id, f"lane{guild_id}", "abcd", Plan.PRO, b"sealed", now)
            await db.write(settings.came, guild_id, now)
            await db.write(settings.change, guild_id, key_id=key.id)
        if missing:
            await db.write(settings.set_missing, [*GONE, STILL_THERE], now)


async def with_keys(folder: Path) -> list[int]:
    url = f"sqlite+aiosqlite:///{database(folder)}"
    async with Database.open(url) as db:
        return [one for one in (*GONE, STILL_THERE) if await db.read(keys.current, one) is not None]


async def run(discord: DiscordServer, folder: Path, command: str) -> tuple[int | None, str]:
    async with bot_process(discord, folder, command, STUDII_API_URL=API, COLUMNS="300") as process:
        out, errors = await asyncio.wait_for(process.communicate(), PATIENCE)
        return process.returncode, " ".join((out + errors).decode().split())


@pytest.mark.promise
async def test_the_running_bot_keeps_many_servers_that_are_gone_and_the_operator_lets_them_go(
    tmp_path: Path,
) -> None:
    await keep_servers(tmp_path)
    async with (
        DiscordServer(guilds=[STILL_THERE]) as discord,
        bot_process(discord, tmp_path, "run", STUDII_API_URL=API) as bot,
    ):
        await asyncio.wait_for(discord.ready.wait(), PATIENCE)
        await looked_after(bot)
        async with asyncio.timeout(60):
            while "forget-servers" not in (await run(discord, tmp_path, "doctor"))[1]:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        assert await with_keys(tmp_path) == [*GONE, STILL_THERE]
        status, told = await run(discord, tmp_path, "forget-servers")
        assert status == 0
        assert "Forgotten, and their Studii keys erased: 101, 102, 103, 104." in told
        assert await with_keys(tmp_path) == [STILL_THERE]
        assert "There are no servers to forget" in (await run(discord, tmp_path, "forget-servers"))[1]
        bot.send_signal(signal.SIGTERM)
        await asyncio.wait_for(bot.communicate(), PATIENCE)
        assert bot.returncode == 0


@pytest.mark.promise
async def test_a_server_in_which_the_bot_may_still_be_is_not_forgotten(tmp_path: Path) -> None:
    await keep_servers(tmp_path, missing=True)
    async with DiscordServer(guilds=[STILL_THERE]) as discord:
        discord.fail("guild", Fault(200), Fault(403))  # a proxy's page, for the second one
        status, told = await run(discord, tmp_path, "forget-servers")
        assert status == 0
        assert "Kept, because the bot is still in these servers: 100." in told
        assert "Kept, because Discord didn't answer for these servers (run this again): 101." in told
        assert await with_keys(tmp_path) == [101, STILL_THERE]
        _, told = await run(discord, tmp_path, "forget-servers")
        assert "Forgotten, and their Studii keys erased: 101." in told
