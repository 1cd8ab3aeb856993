"""`python -m bot backup FILE` and `restore FILE`. Both block: a signal raises KeyboardInterrupt."""

import asyncio
import os
import shutil
import sqlite3
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from bot.cli.stopped import bot_stopped, key_place
from bot.config import StorageSettings
from bot.errors import SettingsError
from bot.migrate import schema_of
from bot.sqlite_file import (
    copy_database,
    ensure_ours,
    fault_of,
    fresh_name,
    is_there,
    make_beside,
    replace_database,
    sqlite_file,
    unused,
    unwritable,
)

ELSEWHERE = (
    "The database is PostgreSQL. Back it up with pg_dump, and restore it with pg_restore; then run "
    "`python -m bot restored` before you start the bot."
)

PIPE = Path("-")  # standard input or output

SINCE = (
    "Jobs that were waiting in the backup may have run and been charged since. They won't be "
    "sent to Studii again; the servers' admins can settle them with /jobs. Jobs from after "
    "the backup are unknown now."
)


def backup(settings: StorageSettings, target: Path) -> str:
    """Copy the database to a new file while the bot runs, check the copy, and say what else is needed.

    To `PIPE` it goes to standard output. Raises `SettingsError`; there is no file then.
    """
    source = _file(settings)
    if target != PIPE:
        _ensure_free(target)
    if not is_there(source) or not source.stat().st_size:
        raise SettingsError(f"There is no database yet at {source}. Check DATABASE_URL.")
    ensure_ours(settings.database_url)
    opened_by = (
        "The servers' Studii keys in it are encrypted. Only the encryption key opens them. It is "
        f"{key_place(settings)}. Keep a copy of it separate from the backup. To restore it, stop the bot and "
        "run: python -m bot restore"
    )
    if target != PIPE:
        _copy(source, target)
        return f"The backup is in {target}. {opened_by} {target}"
    with _passing(source, "leaving") as passing:
        _copy(source, passing)
        _pour(passing, sys.stdout)
    # A path of this machine means nothing in a container, and the other way round; a pipe works in both.
    return (
        f"The backup was written. {opened_by} - < FILE (with compose: docker compose run --rm -T studii "
        "restore - < FILE)"
    )


def restore(settings: StorageSettings, copy: Path) -> str:
    """Make a backup the database again; what is there now is kept beside it.

    `PIPE` is standard input. Raises `SettingsError` if the bot runs, or the file is no sound backup; nothing
    is changed then.
    """
    database = _file(settings)
    if is_there(copy) and is_there(database) and copy.samefile(database):
        raise SettingsError(f"{copy} is the database itself, not a backup. Nothing was changed.")
    ensure_ours(settings.database_url, replaced=True)
    if copy != PIPE:
        return _restore(settings, database, copy, str(copy))
    with _passing(database, "coming") as passing:
        _catch(sys.stdin, passing)
        return _restore(settings, database, passing, "The backup from standard input")


def _restore(settings: StorageSettings, database: Path, copy: Path, name: str) -> str:
    if (fault := fault_of(copy)) is not None:
        raise SettingsError(f"{name} isn't a sound backup: it {fault}. Nothing was changed.")
    schema = asyncio.run(schema_of(f"sqlite+aiosqlite:///{copy}"))
    if not schema.known:
        newer = schema.revision is not None and schema.revision.isdecimal()
        whose = "a backup from a newer version of the bot" if newer else "not a backup of this bot"
        raise SettingsError(f"{name} is {whose}. Nothing was changed.")
    previous = unused(database, "replaced")
    try:
        was_there = asyncio.run(_replaced(settings.database_url, copy, database, previous))
    except (OSError, sqlite3.Error) as error:
        where = "Nothing was changed."
        if is_there(database):
            where = f"Nothing was changed: {database} is as it was."
        elif is_there(previous):
            where = f"Rename {previous} to {database}."
        raise SettingsError(f"{name} couldn't be put in place ({error}). {where}") from error
    kept = (
        f" The previous database is in {previous}. Delete it when you no longer need it." if was_there else ""
    )
    return (
        f"{name} is now the database.{kept} Its encryption key must be {key_place(settings)}. "
        f"Check with `python -m bot doctor`. {SINCE} You can start the bot now."
    )


async def _replaced(url: str, copy: Path, database: Path, previous: Path) -> bool:
    async with bot_stopped(url, "restore FILE", replaced=True):
        return replace_database(copy, database, previous)


@contextmanager
def _passing(database: Path, word: str) -> Generator[Path]:
    """Have a file beside the database for the block, and remove it; its folder too if nothing is in it."""
    made, passing = not database.parent.exists(), fresh_name(database, word)
    try:
        try:
            database.parent.mkdir(parents=True, exist_ok=True)
            make_beside(passing, database)
        except OSError as error:
            raise unwritable(database, error) from error
        yield passing
    finally:
        with suppress(OSError):  # it was not made
            passing.unlink()
        if made:
            with suppress(OSError):  # the database is in it now
                database.parent.rmdir()


def _copy(source: Path, target: Path) -> None:
    try:
        copy_database(source, target)
    except SettingsError as error:  # which takes it for the database's own file
        raise SettingsError(
            f"{target} can't be created. Name a place that the bot's user can write to, or use - to "
            "write the backup to standard output."
        ) from error
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(f"The copy to {target} failed ({error}). Nothing was kept.") from error
    if (fault := fault_of(target)) is not None:
        raise SettingsError(f"The copy in {target} {fault}. Don't rely on it: check the disk and try again.")


def _pour(source: Path, out: TextIO | None) -> None:
    if out is None:
        raise SettingsError("Standard output is closed. Name a file, or redirect the output: - > FILE")
    try:
        with source.open("rb") as file, os.fdopen(out.fileno(), "wb", closefd=False) as pipe:
            shutil.copyfileobj(file, pipe)
    except OSError as error:
        raise SettingsError(
            f"The backup couldn't be written to standard output ({error.strerror})."
        ) from error


def _catch(coming: TextIO | None, target: Path) -> None:
    if coming is None:
        raise SettingsError("Standard input is closed. Name a file, or redirect the input: - < FILE")
    try:
        with target.open("wb") as file, os.fdopen(coming.fileno(), "rb", closefd=False) as pipe:
            shutil.copyfileobj(pipe, file)
    except OSError as error:
        raise SettingsError(
            f"The backup from standard input couldn't be stored in {target} ({error.strerror})."
        ) from error
    if not target.stat().st_size:
        raise SettingsError(
            "Standard input was empty, so there is no backup. Send one: - < FILE. Nothing was changed."
        )


def _file(settings: StorageSettings) -> Path:
    path = sqlite_file(settings.database_url)
    if path is None:
        raise SettingsError(ELSEWHERE)
    return path


def _ensure_free(target: Path) -> None:
    if is_there(target):
        raise SettingsError(f"{target} already exists and was not changed. Give another name.")
    if not target.absolute().parent.is_dir():
        raise SettingsError(
            f"The folder {target.absolute().parent} doesn't exist. Create it, or name another place."
        )
