"""Copy the SQLite file while it is in use, and replace it with a copy."""

import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

from bot.storage.database.errors import sqlite_code
from bot.storage.database.location import is_there, replacing, unwritable

SIDE_FILES = ("-wal", "-shm")


# The name of a value in `Meta` that marks a restored database until the engine has handled it.
WAS_RESTORED = "was_restored"
_FAULTS = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "isn't an SQLite database",
    sqlite3.SQLITE_CANTOPEN: "can't be opened for reading",
}
_REMEMBER = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'')"


def copy_database(source: Path, target: Path, *, restoring: bool = False) -> None:
    """Write a consistent copy that only its owner may read, completely or not at all.

    Replaces an existing target. `restoring` marks the copy as restored. Raises OSError, sqlite3.Error or
    `SettingsError`.
    """
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = stack.enter_context(replacing(target))
        except OSError as error:
            raise unwritable(target, error) from error
        with (
            closing(sqlite3.connect(f"file:{uri_path(source)}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(unfinished)) as writing,
        ):
            reading.backup(writing)
            if restoring:
                writing.execute(_REMEMBER, (WAS_RESTORED,))
                writing.commit()
            # A copy must be one file, as a log beside it would be lost when it is moved.
            writing.execute("PRAGMA journal_mode=DELETE")


def fault_of(path: Path) -> str | None:
    """Return why a file is not a sound SQLite database, as words that follow its name, or None."""
    if not is_there(path):
        return "doesn't exist"
    try:
        with closing(sqlite3.connect(f"file:{uri_path(path)}?mode=ro", uri=True)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return _FAULTS.get(sqlite_code(error), f"can't be read ({error})")
    return None if verdict == "ok" else _FAULTS[sqlite3.SQLITE_CORRUPT]


def replace_database(copy: Path, database: Path, previous: Path) -> bool:
    """Replace the database with the copy. The old one is moved to `previous`; return whether there was one.

    The old file's log is removed, because SQLite would apply it to the new file. Raises like `copy_database`.
    """
    was_there = is_there(database)
    if was_there:
        try:
            copy_database(database, previous)  # takes in what its log holds
        except sqlite3.Error:
            # The file is damaged, so it is moved without a check.
            _move(database, previous)
        for suffix in SIDE_FILES:
            database.with_name(database.name + suffix).unlink(missing_ok=True)
    copy_database(copy, database, restoring=True)
    return was_there


def _move(database: Path, previous: Path) -> None:
    for suffix in ("", *SIDE_FILES):
        part = database.with_name(database.name + suffix)
        if part.exists():
            part.replace(previous.with_name(previous.name + suffix))


def uri_path(path: Path) -> str:
    """Return the path escaped for a URI of SQLite."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
