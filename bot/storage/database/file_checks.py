"""Checks of the database's file before anything is created, locked or changed there."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.errors import SettingsError
from bot.storage.database.backup import SIDE_FILES, raise_fault, uri_path
from bot.storage.database.errors import sqlite_code, unusable_file
from bot.storage.database.location import is_there, lock_of, sqlite_file

_MAGIC = b"SQLite format 3\0"
MAX_CHECKED_BYTES = 500_000_000  # a check reads some 200 MB a second
ANOTHER_PROGRAMS = "belongs to another program. Set DATABASE_URL to another one."
_UNKNOWN = (
    "isn't a database, and nothing beside it shows that the bot used it. Check DATABASE_URL. If this is the "
    "bot's damaged database, rename it and restore again. Nothing was changed."
)
_DAMAGED = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOTADB}


def ensure_ours(url: str, *, replaced: bool = False) -> None:
    """Return if an SQLite file at `url` is the bot's, empty, or missing. Changes nothing there.

    One that is to be `replaced` may be damaged: unreadable inside, or without its first bytes if a lock or a
    log beside it is the bot's. Raises `SettingsError`. Other databases are looked at when they are reached.
    """
    path = sqlite_file(url)
    if path is None:
        return
    _ensure_free(lock_of(path))
    try:
        if is_there(path):
            _look_into(path, replaced=replaced)
    except OSError as error:
        raise unusable_file(path, sqlite3.SQLITE_CANTOPEN) from error
    except sqlite3.Error as error:
        code = sqlite_code(error)
        if not (replaced and code in _DAMAGED):
            raise unusable_file(path, code) from error


def _look_into(path: Path, *, replaced: bool) -> None:
    if not path.is_file():
        raise SettingsError(f"{path} isn't a file. Set DATABASE_URL to another place.")
    with path.open("rb") as file:
        begins = file.read(len(_MAGIC))
    if not begins:
        return
    if begins == _MAGIC:
        if not _is_ours(path):
            raise SettingsError(f"The database file {path} {ANOTHER_PROGRAMS}")
    elif not replaced:
        raise unusable_file(path, sqlite3.SQLITE_NOTADB)
    elif not (lock_of(path).exists() or _has_log(path)):
        raise SettingsError(f"The database file {path} {_UNKNOWN}")


def ensure_sound(url: str) -> None:
    """Raise `SettingsError` if the SQLite file at `url` is damaged, or can't be read.

    A very large one is not checked.
    """
    path = sqlite_file(url)
    if path is None or not is_there(path) or not 0 < path.stat().st_size <= MAX_CHECKED_BYTES:
        return
    try:
        raise_fault(path)
    except sqlite3.Error as error:
        raise unusable_file(path, sqlite_code(error)) from error


def _ensure_free(lock: Path) -> None:
    """Raise `SettingsError` if the lock's path is not an empty file or free."""
    try:
        if lock.exists() and (not lock.is_file() or lock.stat().st_size):
            raise SettingsError(f"{lock} belongs to another program. Set DATABASE_URL to another place.")
    except OSError:
        return  # opening the file will raise the same error


def _has_log(path: Path) -> bool:
    return any(path.with_name(path.name + suffix).exists() for suffix in SIDE_FILES)


def _is_ours(path: Path) -> bool:
    # Without its log, a file can be read so that nothing is made beside it.
    how = "mode=ro" if _has_log(path) else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"file:{uri_path(path)}?{how}", uri=True)) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "alembic_version" not in tables:
            return not tables
        revisions = [number for (number,) in connection.execute("SELECT version_num FROM alembic_version")]
    return all(str(number).isdecimal() for number in revisions)
