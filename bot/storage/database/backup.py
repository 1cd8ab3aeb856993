"""Copies of the SQLite file: made while others write to it, and put back in its place."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.storage.database.errors import sqlite_code
from bot.storage.database.location import private_file

SIDE_FILES = ("-wal", "-shm")


# The name of what the database remembers of it (see `Meta`), until the engine has seen to it.
WAS_RESTORED = "was_restored"
_FAULTS = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is no SQLite database",
    sqlite3.SQLITE_CANTOPEN: "can't be opened for reading",
}
_REMEMBER = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'')"


def copy_database(source: Path, target: Path, *, restoring: bool = False) -> None:
    """A consistent copy, whole or not at all, that only its owner may read; replaces a file of that name.

    `restoring`: the copy is to remember that it was a backup. Raises OSError, sqlite3.Error or
    `SettingsError`.
    """
    unfinished = target.with_name(f"{target.name}.part")
    try:
        with suppress(OSError):  # where nothing can be made, the next line says so
            unfinished.unlink()
        private_file(unfinished)
        with (
            closing(sqlite3.connect(f"file:{uri_path(source)}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            reading.backup(writing)
            if restoring:
                writing.execute(_REMEMBER, (WAS_RESTORED,))
                writing.commit()
            # A copy is one file: what would stand in a log beside it is lost when it is moved.
            writing.execute("PRAGMA journal_mode=DELETE")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def fault_of(path: Path) -> str | None:
    """Why a file is no sound SQLite database, in words that go on from its name; None if it is one."""
    if not path.exists():
        return "is not there"
    try:
        with closing(sqlite3.connect(f"file:{uri_path(path)}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return _FAULTS.get(sqlite_code(error), f"can't be read ({error})")
    return None if verdict == "ok" else _FAULTS[sqlite3.SQLITE_CORRUPT]


def replace_database(copy: Path, database: Path, aside: Path) -> bool:
    """Make the copy the database; what was there goes to `aside`, if there was anything (what is returned).

    The log of the old file must not stay: SQLite would play it into the new one. Raises as `copy_database`.
    """
    was_there = database.exists()
    if was_there:
        try:
            copy_database(database, aside)  # takes in what its log holds
        except sqlite3.Error:
            # Damaged, which is why a backup is wanted: kept as it lies there.
            _move(database, aside)
        for suffix in SIDE_FILES:
            database.with_name(database.name + suffix).unlink(missing_ok=True)
    copy_database(copy, database, restoring=True)
    return was_there


def _move(database: Path, aside: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))


def uri_path(path: Path) -> str:
    """The path as it stands in one of SQLite's addresses."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
