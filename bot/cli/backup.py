"""`python -m bot backup FILE` and `restore FILE`."""

import asyncio
import shutil
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from bot.cli.exclusive import bot_stopped
from bot.cli.keys import key_place
from bot.config import StorageSettings
from bot.errors import SettingsError
from bot.storage import (
    copy_database,
    ensure_ours,
    fault_of,
    private_file,
    replace_database,
    schema_of,
    sqlite_file,
    unused,
)

ELSEWHERE = "The database is PostgreSQL: back it up with pg_dump and take it back with pg_restore."

PIPE = Path("-")  # standard input or output

SINCE = (
    "What was waiting in the backup may have been made and paid for since: it is not sent to Studii again, "
    "and the servers' admins settle it with /jobs. What was asked for after the backup is not known any more."
)


async def backup(settings: StorageSettings, target: Path) -> str:
    """Copy the database to a new file while the bot runs, look the copy over, and say what else is needed.

    To `PIPE` it goes to standard output. Raises `SettingsError`; there is no file then.
    """
    source = _file(settings)
    _ensure_new(source, target)
    await asyncio.to_thread(ensure_ours, settings.database_url)
    if target != PIPE:
        await asyncio.to_thread(_copy, source, target)
        return f"The backup is in {target}. {_opened_by(settings)} {_taken_back(str(target), piped=False)}"
    passing = source.with_name(f"{source.name}.leaving")
    try:
        await asyncio.to_thread(_copy, source, passing)
        await asyncio.to_thread(_pour, passing, sys.stdout)
    finally:
        passing.unlink(missing_ok=True)
    return f"The backup was written. {_opened_by(settings)} {_taken_back('- < FILE', piped=True)}"


async def restore(settings: StorageSettings, copy: Path) -> str:
    """Make a backup the database again; what is there now is kept beside it.

    `PIPE` is standard input. Raises `SettingsError` if the bot runs, or the file is no sound backup; nothing
    is changed then.
    """
    database = _file(settings)
    _ensure_other(copy, database)
    if copy != PIPE:
        return await _restore(settings, database, copy, str(copy))
    passing = database.with_name(f"{database.name}.coming")
    try:
        await asyncio.to_thread(_catch, sys.stdin, passing)
        return await _restore(settings, database, passing, "What came in")
    finally:
        passing.unlink(missing_ok=True)


async def _restore(settings: StorageSettings, database: Path, copy: Path, name: str) -> str:
    fault = await asyncio.to_thread(fault_of, copy)
    if fault is not None:
        raise SettingsError(f"{name} is no sound backup: it {fault}. Nothing was changed.")
    schema = await schema_of(f"sqlite+aiosqlite:///{copy}")
    if not schema.known:
        newer = schema.revision is not None and schema.revision.isdecimal()
        whose = "a backup of a newer version of the bot" if newer else "no backup of this bot"
        raise SettingsError(f"{name} is {whose}. Nothing was changed.")
    async with bot_stopped(settings.database_url, "restore FILE", replaced=True):
        aside = unused(database, "replaced")
        try:
            was_there = await asyncio.to_thread(replace_database, copy, database, aside)
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(f"{name} could not be put in place ({error}).") from error
    kept = f" What was there before is in {aside}; delete it when you are content." if was_there else ""
    return (
        f"{name} is the database again.{kept} The encryption key that belongs to it must be "
        f"{key_place(settings)}; `python -m bot doctor` tells whether it is. {SINCE} Now start the bot."
    )


def _copy(source: Path, target: Path) -> None:
    try:
        copy_database(source, target)
    except SettingsError as error:  # which takes it for the database's own file
        raise SettingsError(
            f"No file can be made at {target}. Name a place that the bot's user may write to, or use - to "
            "have the backup on standard output."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"The copy to {target} failed ({error}). Nothing was kept of it.") from error
    if (fault := fault_of(target)) is not None:
        raise SettingsError(
            f"The copy in {target} {fault}. Do not rely on it; look at the disk, and try again."
        )


def _pour(source: Path, out: TextIO | None) -> None:
    if out is None:
        raise SettingsError("Standard output is closed. Name a file, or send the backup somewhere: - > FILE")
    try:
        with source.open("rb") as file:
            shutil.copyfileobj(file, out.buffer)
        out.flush()
    except OSError as error:
        with suppress(OSError):
            out.close()  # or Python would try again to write what is left, and complain
        raise SettingsError(f"The backup could not be written out ({error.strerror}).") from error


def _catch(coming: TextIO | None, target: Path) -> None:
    if coming is None:
        raise SettingsError("Standard input is closed. Name a file, or send the backup in: - < FILE")
    target.unlink(missing_ok=True)
    private_file(target)
    try:
        with target.open("wb") as file:
            shutil.copyfileobj(coming.buffer, file)
    except OSError as error:
        raise SettingsError(f"What comes in could not be kept in {target} ({error.strerror}).") from error
    if not target.stat().st_size:
        raise SettingsError(
            "Nothing came in, so there is no backup. Send one: - < FILE. Nothing was changed."
        )


def _opened_by(settings: StorageSettings) -> str:
    return (
        "It holds the servers' Studii keys encrypted, and opens with the encryption key alone, which is "
        f"{key_place(settings)}: keep a copy of that apart from the backup."
    )


def _taken_back(file: str, *, piped: bool) -> str:
    words = f"To take it back, stop the bot and run: python -m bot restore {file}"
    # A path of this machine means nothing in a container, and the other way round; a pipe works in both.
    return f"{words} (with compose: docker compose run --rm -T studii restore {file})" if piped else words


def _file(settings: StorageSettings) -> Path:
    path = sqlite_file(settings.database_url)
    if path is None:
        raise SettingsError(ELSEWHERE)
    return path


def _ensure_other(copy: Path, database: Path) -> None:
    if copy.exists() and database.exists() and copy.samefile(database):
        raise SettingsError(f"{copy} is the database itself, and no backup. Nothing was changed.")


def _ensure_new(source: Path, target: Path) -> None:
    if target != PIPE and target.exists():
        raise SettingsError(f"{target} is there already and was left alone. Give another name.")
    if target != PIPE and not target.absolute().parent.is_dir():
        raise SettingsError(f"There is no folder {target.absolute().parent}. Make it, or name another place.")
    if not source.exists() or not source.stat().st_size:
        raise SettingsError(f"There is no database yet at {source}. Check DATABASE_URL.")
