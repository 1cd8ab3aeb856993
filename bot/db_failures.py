"""The failures of a database: those that may pass, and those that an operator has to fix."""

import errno
import logging
import socket
from collections.abc import Generator
from contextlib import contextmanager

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
from bot.sqlite_file import BUSY_CODES, ON_SQLITE, drivers_error, sqlite_code, sqlite_file, unusable_file

_log = logging.getLogger(__name__)

UNUSABLE = (OSError, DBAPIError, DatabaseFailed)  # the first contact may raise these; see `usable_database`

_CROWDED = "55P03"  # PostgreSQL: lock_not_available
_DEADLOCK = "40P01"  # deadlock_detected
# admin_shutdown, crash_shutdown, cannot_connect_now: it stops, or starts up.
_STOPPED = {"57P01", "57P02", "57P03"}
_WRONG_LOGIN = ("28", "3D")  # classes: no such user, a wrong password; no such database
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
        if sqlite_code(error) in BUSY_CODES:
            return Busy()
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
        if isinstance(error, Busy) or code in BUSY_CODES:
            return Unavailable(f"The database file {path} {_HELD}")
        if code in ON_SQLITE:
            return unusable_file(path, code)
        return SettingsError(
            f"The database file {path} can't be used ({_reason(error)}). Set DATABASE_URL to another file."
        )
    state = str(getattr(drivers_error(error), "sqlstate", ""))
    failed = Unavailable(
        f"The database at {address_shown(url)} can't be used ({_reason(error)}). Check DATABASE_URL."
    )
    return SettingsError(str(failed)) if state.startswith(_WRONG_LOGIN) else failed


def address_shown(url: str) -> str:
    """Return a server's address as an operator writes it, without its password and without our driver's
    name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def _reason(error: Exception) -> str:
    met = drivers_error(error)
    known: list[tuple[bool, str]] = [
        (isinstance(met, socket.gaierror), "no machine of that name is known"),
        (isinstance(met, TimeoutError), "it doesn't answer"),
        (isinstance(met, OSError) and met.errno in _NOT_THERE, "nothing answers there"),
        (isinstance(error, Busy) and not isinstance(error, DatabaseAway), "another program keeps it busy"),
    ]
    return next((words for true, words in known if true), " ".join(str(met).split()))
