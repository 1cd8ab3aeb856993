"""The failures of a database: those that may pass, and those that an operator has to fix."""

import errno
import logging
import socket
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    TimeoutError as PoolTimeout,
)

from bot.clock import Clock
from bot.errors import Busy, Collided, DatabaseAway, DatabaseFailed, NotAlone, SettingsError, Unavailable
from bot.storage.database.location import sqlite_file

_log = logging.getLogger(__name__)

UNUSABLE = (OSError, DBAPIError, DatabaseFailed)  # the first contact may raise these; see `usable_database`

_RIGHTS = "can't be opened for writing. Allow the bot to write to it and to its folder."
_DAMAGED = "is damaged. Restore a backup (python -m bot restore FILE). That keeps the damaged file beside it."
# By SQLite's primary result codes, https://www.sqlite.org/rescode.html
_ON_SQLITE = {
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
_CROWDED = "55P03"  # PostgreSQL: lock_not_available
_DEADLOCK = "40P01"  # deadlock_detected
# admin_shutdown, crash_shutdown, cannot_connect_now: it stops, or starts up.
_STOPPED = {"57P01", "57P02", "57P03"}
_BUSY_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_WRONG_LOGIN = ("28", "3D")  # classes: no such user, a wrong password; no such database
# A full or failing disk, and no memory. What else SQLite meets doesn't pass.
_PASSING_CODES = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, *_BUSY_CODES}
_HELD = "is being written by another program. Stop that program, then start again."
_NOT_THERE = {errno.ECONNREFUSED, errno.ENOENT, errno.EHOSTUNREACH, errno.ENETUNREACH}


def as_failure(error: Exception) -> DatabaseFailed | None:
    """Return the error as a failure of the database, or None if the statement is the reason.

    Outside the storage, the database's failures are `DatabaseFailed`, as no other module knows its drivers.
    """
    if isinstance(error, DatabaseFailed):
        return error
    if isinstance(error, DataError | IntegrityError | ProgrammingError):
        return None
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _STOPPED:
            return DatabaseAway()
        kinds: dict[str | None, type[DatabaseFailed]] = {_CROWDED: Busy, _DEADLOCK: Collided}
        return kinds.get(getattr(error.orig, "sqlstate", None), DatabaseFailed)()
    return DatabaseFailed() if isinstance(error, PoolTimeout) else None


class OutageLog:
    """Logs once that something can't be done with the database, and once that it can again."""

    def __init__(self, what: str, clock: Clock) -> None:
        self._what = what
        self._clock = clock
        self._since: float | None = None

    @contextmanager
    def watching(self) -> Generator[None]:
        """Surround each try. Raises `DatabaseFailed` in place of a driver's error, if the database failed."""
        try:
            yield
        except NotAlone:
            raise  # the keeper of the lock has logged it
        except Exception as error:
            failure = as_failure(error)
            if failure is None:
                raise
            self._failed(error)
            if failure is error:
                raise
            raise failure from error
        else:
            self._worked()

    def _failed(self, error: Exception) -> None:
        if self._since is None:
            self._since = self._clock.monotonic()
            _log.warning(
                "The database can't be %s (%s). The bot will keep trying.", self._what, _reason(error)
            )

    def _worked(self) -> None:
        if self._since is not None:
            lasted = self._clock.monotonic() - self._since
            _log.warning("The database can be %s again, after %.0f s.", self._what, lasted)
            self._since = None


def sqlite_code(error: Exception) -> int:
    """Return SQLite's primary result code, or 0 if the error is not SQLite's."""
    return getattr(_drivers(error), "sqlite_errorcode", 0) & 0xFF


@contextmanager
def usable_database(url: str) -> Generator[None]:
    """Raise `SettingsError` if the database can't be used in the block: why, and what to do about it."""
    try:
        yield
    except UNUSABLE as error:
        raise _unusable(url, error) from error


def _unusable(url: str, error: Exception) -> SettingsError:
    path, code = sqlite_file(url), sqlite_code(error)
    if path is not None:
        if isinstance(error, Busy) or code in _BUSY_CODES:
            return Unavailable(f"The database file {path} {_HELD}")
        if code in _ON_SQLITE:
            return unusable_file(path, code)
        return SettingsError(
            f"The database file {path} can't be used ({_reason(error)}). Set DATABASE_URL to another file."
        )
    state = str(getattr(_drivers(error), "sqlstate", ""))
    failed = Unavailable(
        f"The database at {address_shown(url)} can't be used ({_reason(error)}). Check DATABASE_URL."
    )
    return SettingsError(str(failed)) if state.startswith(_WRONG_LOGIN) else failed


def unusable_file(path: Path, code: int) -> SettingsError:
    """Explain why an SQLite file can't be used, by SQLite's primary result code."""
    words = _ON_SQLITE.get(code, f"can't be used (SQLite's error {code}). Set DATABASE_URL to another file.")
    return (Unavailable if code in _PASSING_CODES else SettingsError)(f"The database file {path} {words}")


def address_shown(url: str) -> str:
    """Return a server's address as an operator writes it, without its password and without our driver's
    name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def _reason(error: Exception) -> str:
    met = _drivers(error)
    known: list[tuple[bool, str]] = [
        (isinstance(met, socket.gaierror), "no machine of that name is known"),
        (isinstance(met, TimeoutError), "it doesn't answer"),
        (isinstance(met, OSError) and met.errno in _NOT_THERE, "nothing answers there"),
        (isinstance(error, Busy) and not isinstance(error, DatabaseAway), "another program keeps it busy"),
    ]
    return next((words for true, words in known if true), " ".join(str(met).split()))


def _drivers(error: Exception) -> BaseException:
    """Return the error that the driver raised, or the error itself."""
    met = error.__cause__ if isinstance(error, DatabaseFailed) and error.__cause__ is not None else error
    return getattr(met, "orig", None) or met
