"""`python -m bot backup FILE`, and `restore FILE`, which takes it back."""

import asyncio
import sqlite3
from contextlib import AsyncExitStack
from pathlib import Path

from bot.config import Settings
from bot.errors import SettingsError
from bot.operate.keys import key_place
from bot.storage import copy_database, fault_of, instance_lock, put_back, schema_of, sqlite_file

ELSEWHERE = "The database is PostgreSQL: back it up with pg_dump and take it back with pg_restore."

SINCE = (
    "What was waiting in the backup may have been made and paid for since: it is not sent to Studii again, "
    "and the servers' admins settle it with /jobs. What was asked for after the backup is not known any more."
)


async def backup(settings: Settings, target: Path) -> str:
    """Copy the database to a new file while the bot runs, look the copy over, and say what else is needed.

    Raises `SettingsError`; there is no file then.
    """
    source = _file(settings)
    _ensure_new(source, target)
    try:
        await asyncio.to_thread(copy_database, source, target)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"The copy to {target} failed ({error}). Nothing was kept of it.") from error
    fault = await asyncio.to_thread(fault_of, target)
    if fault is not None:
        raise SettingsError(f"The copy in {target} is not sound ({fault}). Do not rely on it; try again.")
    return (
        f"The backup is in {target}. It holds the servers' Studii keys encrypted, and opens with the "
        f"encryption key alone, which is {key_place(settings)}: keep a copy of that apart from the backup. "
        f"To take it back, stop the bot and run: python -m bot restore {target}"
    )


async def restore(settings: Settings, copy: Path) -> str:
    """Make a backup the database again; what is there now is kept beside it.

    Raises `SettingsError` if the bot runs, or the file is no sound backup; nothing is changed then.
    """
    database = _file(settings)
    fault = await asyncio.to_thread(fault_of, copy)
    if fault is not None:
        raise SettingsError(f"{copy} is no sound backup ({fault}). Nothing was changed.")
    found, known = await schema_of(f"sqlite+aiosqlite:///{copy}")
    if found is None or found > known:
        whose = "no backup of this bot" if found is None else "a backup of a newer version of the bot"
        raise SettingsError(f"{copy} is {whose}. Nothing was changed.")
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(instance_lock(settings.database_url, patience=0))
        aside = _unused(database)
        try:
            was_there = await asyncio.to_thread(put_back, copy, database, aside)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(f"{copy} could not be put in place ({error}).") from error
    kept = f" What was there before is in {aside}." if was_there else ""
    return (
        f"{copy} is the database again.{kept} The encryption key that belongs to it must be "
        f"{key_place(settings)}. {SINCE} Now start the bot."
    )


def _file(settings: Settings) -> Path:
    path = sqlite_file(settings.database_url)
    if path is None:
        raise SettingsError(ELSEWHERE)
    return path


def _ensure_new(source: Path, target: Path) -> None:
    if target.exists():
        raise SettingsError(f"{target} is there already and was left alone. Give another name.")
    if not source.exists():
        raise SettingsError(f"There is no database yet at {source}. Check DATABASE_URL.")


def _unused(database: Path) -> Path:
    number = 1
    while (path := database.with_name(f"{database.name}.replaced-{number}")).exists():
        number += 1
    return path
