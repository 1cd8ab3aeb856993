"""The SQLite file: its place, its lock, checks before anything is changed there, copies of it."""

import asyncio
import logging
import os
import secrets
import sqlite3
import stat
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path

from filelock import AsyncFileLock, Timeout
from sqlalchemy.engine import make_url

from bot.aio.tasks import shielded
from bot.errors import DatabaseFailed, SettingsError, Unavailable

_log = logging.getLogger(__name__)

HANDOVER_SECONDS = 30.0  # to wait for an instance that is ending
_MAGIC = b"SQLite format 3\0"
MAX_CHECKED_BYTES = 500_000_000  # a check reads some 200 MB a second
ANOTHER_PROGRAMS = "belongs to another program. Set DATABASE_URL to another one."
_DAMAGE_CODES = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOTADB}
SIDE_FILES = ("-wal", "-shm")
# The name of a value in `Meta` that marks a restored database until the engine has handled it.
WAS_RESTORED = "was_restored"
_FAULTS = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "isn't an SQLite database",
    sqlite3.SQLITE_CANTOPEN: "can't be opened for reading",
}
_ONE_FILE = "PRAGMA journal_mode=DELETE"

_RIGHTS = "can't be opened for writing. Allow the bot to write to it and to its folder."
_DAMAGED = "is damaged. Restore a backup (python -m bot restore FILE). That keeps the damaged file beside it."
# By SQLite's primary result codes, https://www.sqlite.org/rescode.html
ON_SQLITE = {
    sqlite3.SQLITE_ERROR: f"doesn't have the contents that this version of the bot needs, or {_DAMAGED}",
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_IOERR: (
        "can't be read or written: its disk is full or failing. Free some space, or repair the disk."
    ),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_FULL: "can't grow: its disk is full. Free some space there.",
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_NOTADB: (
        "isn't an SQLite database. Set DATABASE_URL to another file, or restore a backup in its place "
        "(python -m bot restore FILE)."
    ),
}
BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# A full or failing disk, and no memory. What else SQLite meets doesn't pass.
_PASSING_CODES = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, *BUSY_CODES}


def sqlite_file(url: str) -> Path | None:
    """Return the path of the SQLite file, or None for a database server."""
    address = make_url(url)
    return Path(str(address.database)) if address.get_backend_name() == "sqlite" else None


def is_there(path: Path) -> bool:
    """Return whether there is something at the path. Raises `OSError` if the user may not know.

    `Path.exists` says that there is nothing then, from Python 3.14 on.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def lock_of(path: Path) -> Path:
    """Return the path of the lock beside an SQLite file."""
    return path.with_name(f"{path.name}.lock")


def _give_to_owner(file: Path, beside: Path) -> None:
    """Give a file that root has made to the owner of the one beside it: the bot has to open it, too."""
    if os.name == "posix" and os.geteuid() == 0:
        owner = beside.stat()
        with suppress(OSError):  # a file system without owners
            os.chown(file, owner.st_uid, owner.st_gid)


@contextmanager
def replacing(path: Path) -> Generator[Path]:
    """Yield a file to write, for its owner alone. At the end it takes the place of `path`, on the disk.

    If the block raises, it is removed, and `path` stays as it was. Raises OSError.
    """
    # It is named before it is made, so that what interrupts its making finds it.
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        _give_to_owner(unfinished, path if is_there(path) else path.parent)
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


def unwritable(path: Path, error: OSError) -> SettingsError:
    """Explain that the database's file, or one beside it, can't be made or written."""
    return SettingsError.met(
        f"The database file {path} can't be opened for writing ({error.strerror}). Allow the bot "
        "to write there, or set DATABASE_URL to another place.",
        error,
    )


def private_file(path: Path) -> None:
    """Create the file and its folder if they are missing, and let only its owner read it.

    It holds encrypted keys and people's prompts. SQLite gives its side files the same mode.
    Raises `SettingsError` if it can't be made or written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not is_there(path)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        if is_new:
            _give_to_owner(path, path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    if os.name != "posix":
        return  # there are no modes
    # Someone else's file, or a file system without modes, is the operator's own choice.
    with suppress(OSError):
        found = path.stat()
        if found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            path.chmod(0o600)


def sqlite_code(error: Exception) -> int:
    """Return SQLite's primary result code, or 0 if the error is not SQLite's."""
    return getattr(drivers_error(error), "sqlite_errorcode", 0) & 0xFF


def unusable_file(path: Path, code: int) -> SettingsError:
    """Explain why an SQLite file can't be used, by SQLite's primary result code."""
    words = ON_SQLITE.get(code, f"can't be used (SQLite's error {code}). Set DATABASE_URL to another file.")
    return (Unavailable if code in _PASSING_CODES else SettingsError)(f"The database file {path} {words}")


def drivers_error(error: Exception) -> BaseException:
    """Return the error that the driver raised, or the error itself."""
    met = error.__cause__ if isinstance(error, DatabaseFailed) and error.__cause__ is not None else error
    return getattr(met, "orig", None) or met


class AnotherInstance(Unavailable):
    """The bot runs on this database."""


@asynccontextmanager
async def instance_lock(
    url: str, *, patience: float = HANDOVER_SECONDS, replaced: bool = False
) -> AsyncGenerator[None, None]:
    """Be the only instance on this SQLite file, for as long as the block lasts; a killed one lets go at once.

    On PostgreSQL, several processes share a database, each with its lease. Waits up to `patience` seconds for
    an instance that is ending, then raises `SettingsError`; also if the file is another program's, or damaged
    and not to be `replaced`.
    """
    path = Path(str(make_url(url).database))
    await asyncio.to_thread(ensure_ours, url, replaced=replaced)
    await asyncio.to_thread(private_file, lock_of(path))
    lock = AsyncFileLock(lock_of(path), mode=0o600, fallback_to_soft=False)
    try:
        try:
            await lock.acquire(timeout=0)
        except Timeout:
            _log.warning(
                "Another instance of the bot is running on this database (it holds %s). Waiting %.0f s for "
                "it to stop.",
                lock.lock_file,
                patience,
            )
            await lock.acquire(timeout=patience, poll_interval=0.1)
    except Timeout:
        raise AnotherInstance(
            f"Another instance of the bot is running on this database (it holds {lock.lock_file}). "
            "Stop it first, or give this one a DATABASE_URL of its own."
        ) from None
    except (OSError, NotImplementedError) as error:
        raise SettingsError(
            f"{lock.lock_file} can't be locked ({error}). Keep the database on a disk of this machine."
        ) from error
    try:
        yield
    finally:
        await shielded(lock.release())


def ensure_ours(url: str, *, replaced: bool = False) -> None:
    """Return if an SQLite file at `url` is the bot's, empty, or missing. Changes nothing there.

    One that is to be `replaced` may be damaged: unreadable inside, or without its first bytes if a lock or a
    log beside it is the bot's. Raises `SettingsError`. Other databases are looked at when they are reached.
    """
    path = sqlite_file(url)
    if path is None:
        return
    lock = lock_of(path)
    try:
        if lock.exists() and (not lock.is_file() or lock.stat().st_size):
            raise SettingsError(f"{lock} belongs to another program. Set DATABASE_URL to another place.")
        if is_there(path):
            _look_into(path, replaced=replaced)
    except OSError as error:
        raise unusable_file(path, sqlite3.SQLITE_CANTOPEN) from error
    except sqlite3.Error as error:
        code = sqlite_code(error)
        if not (replaced and code in _DAMAGE_CODES):
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
        raise SettingsError(
            f"The database file {path} isn't a database, and nothing beside it shows that the bot used it. "
            "Check DATABASE_URL. If this is the bot's damaged database, rename it and restore again. Nothing "
            "was changed."
        )


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


def _has_log(path: Path) -> bool:
    return any(path.with_name(path.name + suffix).exists() for suffix in SIDE_FILES)


def _is_ours(path: Path) -> bool:
    # Without its log, a file can be read so that nothing is made beside it.
    how = "mode=ro" if _has_log(path) else "mode=ro&immutable=1"
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)) as connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        if "alembic_version" not in tables:
            return not tables
        revisions = connection.execute("SELECT version_num FROM alembic_version")
        return all(str(number).isdecimal() for (number,) in revisions)


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent copy that only its owner may read, completely or not at all.

    Replaces an existing target. Raises OSError or sqlite3.Error.
    """
    with replacing(target) as unfinished:
        _copy_pages(source, unfinished)


def _copy_pages(source: Path, target: Path, *, restoring: bool = False) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reading,
        closing(sqlite3.connect(target)) as writing,
    ):
        reading.backup(writing)
        if restoring:
            writing.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, x'')", (WAS_RESTORED,))
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
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
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
