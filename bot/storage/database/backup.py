"""Copy the SQLite file while it is in use, and replace it with a copy."""

import sqlite3
from contextlib import ExitStack, closing, suppress
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
_ONE_FILE = "PRAGMA journal_mode=DELETE"
_REMEMBER = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'')"


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent copy that only its owner may read, completely or not at all.

    Replaces an existing target. Raises OSError, sqlite3.Error or `SettingsError`.
    """
    with ExitStack() as stack:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = stack.enter_context(replacing(target))
        except OSError as error:
            raise unwritable(target, error) from error
        _copy_pages(source, unfinished)


def _copy_pages(source: Path, target: Path, *, restoring: bool = False) -> None:
    with (
        closing(sqlite3.connect(f"file:{uri_path(source)}?mode=ro", uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
        if restoring:
            writing.execute(_REMEMBER, (WAS_RESTORED,))
            writing.commit()
        # A copy must be one file, as a log beside it would be lost when it is moved.
        writing.execute(_ONE_FILE)


def fault_of(path: Path) -> str | None:
    """Return why a file is not a sound SQLite database, as words that follow its name, or None."""
    if not is_there(path):
        return "doesn't exist"
    try:
        raise_fault(path)
    except sqlite3.Error as error:
        return _FAULTS.get(sqlite_code(error), f"can't be read ({error})")
    return None


def raise_fault(path: Path) -> None:
    """Raise `sqlite3.Error` if the file is damaged, isn't an SQLite database, or can't be read."""
    with closing(sqlite3.connect(f"file:{uri_path(path)}?mode=ro", uri=True)) as connection:
        (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        damaged = sqlite3.DatabaseError(verdict)
        damaged.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise damaged


def replace_database(copy: Path, database: Path, previous: Path) -> bool:
    """Replace the database with the copy, and keep the old one as `previous`. Return whether there was one.

    On a failure, everything is where it was: a start that finds no database begins an empty one. Raises
    OSError or sqlite3.Error.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    kept: list[tuple[Path, Path]] = []
    try:
        with replacing(database) as unfinished:
            _copy_pages(copy, unfinished, restoring=True)
            raise_fault(unfinished)
            if is_there(database):
                # A damaged database, or a full disk, may not take in its log, which is kept beside it then.
                with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as old:
                    old.execute(_ONE_FILE)
            for suffix in ("", *SIDE_FILES):
                part = database.with_name(database.name + suffix)
                if is_there(part):
                    kept.append((part, _renamed(part, previous.with_name(previous.name + suffix))))
            for suffix in SIDE_FILES:  # SQLite would apply the old log to the new file
                database.with_name(database.name + suffix).unlink(missing_ok=True)
    except BaseException:
        for part, place in kept:
            if is_there(part):
                place.unlink()
            else:
                place.replace(part)
        raise
    return bool(kept)


def _renamed(part: Path, place: Path) -> Path:
    """Give the file another name. It keeps its own too, where links are possible: a kill loses nothing."""
    try:
        place.hardlink_to(part)
    except OSError:
        part.replace(place)
    return place


def uri_path(path: Path) -> str:
    """Return the path escaped for a URI of SQLite."""
    return str(path.absolute()).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
