"""Commands, each a process of its own as on an operator's machine, and a database with a sealed key."""

import asyncio
import resource
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.db import Database
from bot.servers import keys as server_keys, settings as server_settings
from bot.servers.keys import Plan
from bot.vault import Vault
from sandbox.discord.emulator import DiscordServer
from tests.support.database import database as new_database
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE
from tests.support.process import bot_process, until_it_says

SECRET = "stu_0123456789abcdef"
NOWHERE = "http://127.0.0.1:9/api/v1"
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
    async with Database.open(url) as db:
        key = await db.write(server_keys.add, 100, "lane", secret[-4:], Plan.PRO, vault.seal(secret), NOW)
        await db.write(server_settings.change, 100, key_id=key.id)


async def kept_key(folder: Path, *keys: str) -> str:
    vault = Vault.open(keys, folder / "data" / "encryption.key")
    async with Database.open(f"sqlite+aiosqlite:///{database(folder)}") as db:
        key = await db.read(server_keys.current, 100)
    assert key is not None
    return vault.unseal(key.ciphertext)


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


@contextmanager
def full_disk(room: int) -> Generator[None]:
    """Let no file of this process grow beyond `room` bytes: SQLite takes that for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def looked_after(process: ForkedProcess) -> None:
    """Wait until the bot says that it is ready, and has done what it does then."""
    await until_it_says(process, b"Ready as")
    await asyncio.sleep(1)
