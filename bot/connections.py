"""Connections to the database, on SQLite and on PostgreSQL, and what fails on them, in words.

The engines are SQLAlchemy's own.
"""

import errno
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, TypeVarTuple, cast
from uuid import uuid4

import aiosqlite
from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    ProgrammingError,
    TimeoutError as PoolTimeout,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bot.errors import Busy, Collided, DatabaseAway, DatabaseFailed, SettingsError, Unavailable
from bot.sqlite_file import BUSY_CODES, ON_SQLITE, drivers_error, sqlite_code, sqlite_file, unusable_file

_T = TypeVar("_T")
_R = TypeVarTuple("_R")

WRITE_TIMEOUT = 60.0  # seconds; long enough for a slow transaction, short enough to notice one that hangs
READERS = 4

PRAGMAS = {
    "busy_timeout": "100",  # milliseconds that one BEGIN waits for another program; it is tried again
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "secure_delete": "ON",  # overwrite erased data, and don't only mark it as free
    "foreign_keys": "ON",
}

_READ_PRAGMAS = {"busy_timeout": "5000", "query_only": "ON"}

UNUSABLE = (OSError, DBAPIError, DatabaseFailed)  # the first contact may raise these; see `usable_database`

# PostgreSQL: lock_not_available; deadlock_detected; and admin_shutdown, crash_shutdown, cannot_connect_now:
# it stops, or starts up.
_BY_SQLSTATE = {
    "55P03": Busy,
    "40P01": Collided,
    **dict.fromkeys(("57P01", "57P02", "57P03"), DatabaseAway),
}
_WRONG_VALUE = ("22", "23", "42")  # classes that SQLAlchemy doesn't always have an error of its own for
_WRONG_LOGIN = ("28", "3D")  # classes: no such user, a wrong password; no such database
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
        if error.connection_invalidated:
            return DatabaseAway()
        state = str(getattr(error.orig, "sqlstate", ""))
        return None if state.startswith(_WRONG_VALUE) else _BY_SQLSTATE.get(state, DatabaseFailed)()
    return DatabaseFailed() if isinstance(error, PoolTimeout) else None


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
            return Unavailable(
                f"The database file {path} is being written by another program. Stop that program, then "
                "start again."
            )
        if code in ON_SQLITE:
            return unusable_file(path, code)
        return SettingsError(
            f"The database file {path} can't be used ({reason_in_words(error)}). Set DATABASE_URL to another "
            "file."
        )
    wrong_login = str(getattr(drivers_error(error), "sqlstate", "")).startswith(_WRONG_LOGIN)
    return (SettingsError if wrong_login else Unavailable)(
        f"The database at {address_shown(url)} can't be used ({reason_in_words(error)}). Check DATABASE_URL."
    )


def address_shown(url: str) -> str:
    """Return a server's address as an operator writes it, without its password and without our driver's
    name."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=True)


def reason_in_words(error: Exception) -> str:
    """Return why something can't be reached or used, as it stands in a sentence for the operator."""
    met = drivers_error(error)
    known: list[tuple[bool, str]] = [
        (isinstance(met, socket.gaierror), "no machine of that name is known"),
        (isinstance(met, TimeoutError), "it doesn't answer"),
        (isinstance(met, OSError) and met.errno in _NOT_THERE, "nothing answers there"),
        (isinstance(error, Busy) and not isinstance(error, DatabaseAway), "another program keeps it busy"),
    ]
    return next((words for true, words in known if true), " ".join(str(met).split()))


class _File:
    """Connections to an SQLite file, each in the thread that aiosqlite gives it.

    SQLAlchemy's own way through aiosqlite goes there and back four times for each statement.
    """

    def __init__(self, url: URL, pragmas: dict[str, str], first: str) -> None:
        self._engine = create_engine(
            url.set(drivername="sqlite"),
            hide_parameters=True,
            connect_args={"isolation_level": None},  # the driver begins no transaction, but `first` does
            poolclass=NullPool,
        )
        event.listen(self._engine, "connect", partial(set_pragmas, pragmas))
        event.listen(self._engine, "begin", partial(Connection.exec_driver_sql, statement=first))
        self._free: list[Any] = []

    async def run(self, work: Callable[[Connection, *_R], _T], *args: *_R) -> _T:
        """Return what `work` returns on a connection. What it didn't commit is rolled back."""
        one = self._free.pop() if self._free else await self._connected()
        try:
            return await one._execute(_rolled_back, work, one._conn, *args)  # noqa: SLF001 - as SQLAlchemy does
        finally:
            self._free.append(one)  # also if no one awaits it any more: its thread does one after the other

    async def _connected(self) -> Any:
        # What it connects to has to be closed, and nothing else, as long as its own `_execute` is used alone.
        opening: Any = aiosqlite.Connection(cast("Any", self._engine.connect), 1)
        opening._thread.daemon = True  # noqa: SLF001 - a transaction that hangs must not keep the process
        return await opening

    async def close(self) -> None:
        """Close those that are not in use."""
        while self._free:
            await self._free.pop().close()


def _rolled_back(work: Callable[..., _T], connection: Connection, *args: Any) -> _T:
    try:
        return work(connection, *args)
    finally:
        connection.rollback()


@dataclass(frozen=True, slots=True)
class _Server:
    """Connections to PostgreSQL."""

    _engine: AsyncEngine

    async def run(self, work: Callable[[Connection, *_R], _T], *args: *_R) -> _T:
        """Return what `work` returns on a connection. What it didn't commit is rolled back.

        Raises `DatabaseAway` for what drivers raise when a connection breaks, or can't be made.
        """
        try:
            async with self._engine.connect() as connection:
                return await connection.run_sync(work, *args)
        except OSError as error:
            raise DatabaseAway from error
        except DBAPIError as error:
            _leave_out_rows(error)
            raise

    async def close(self) -> None:
        """Close those that are not in use."""
        await self._engine.dispose()


def _leave_out_rows(error: BaseException | None) -> None:
    """Take out of an error what PostgreSQL quotes of rows, such as prompts and signed addresses."""
    while error is not None:
        error.args = tuple(str(one).partition("\nDETAIL:")[0] for one in error.args)
        if getattr(error, "detail", None):
            error.detail = None  # pyright: ignore[reportAttributeAccessIssue]
        error = error.__cause__


def connections_of(url: str, statement_timeout: float = WRITE_TIMEOUT, *, writes: bool) -> _File | _Server:
    """Return one connection that writes, or some that see one moment each and can't write."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        return _File(address, PRAGMAS if writes else _READ_PRAGMAS, "BEGIN IMMEDIATE" if writes else "BEGIN")
    server = server_engine(
        url,
        patience=statement_timeout,
        pool_size=1 if writes else READERS,
        max_overflow=0,
        pool_pre_ping=True,
    )
    if not writes:
        server = server.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return _Server(server)


def server_engine(url: str, *, patience: float = 60.0, **options: Any) -> AsyncEngine:
    """Return an engine for PostgreSQL. Connecting and each statement end after so many seconds."""
    arguments: dict[str, Any] = {"timeout": min(patience, 10.0), "command_timeout": patience}
    # Behind PgBouncer, connections of several clients become one of the server's.
    arguments["prepared_statement_name_func"] = lambda: f"studii_{uuid4().hex}"
    return create_async_engine(url, hide_parameters=True, connect_args=arguments, **options)


def set_pragmas(pragmas: dict[str, str], connection: Any, _record: object) -> None:
    """Set them on a driver's new connection."""
    cursor = connection.cursor()
    for name, value in pragmas.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


@asynccontextmanager
async def used_once(url: str, *, writes: bool = False) -> AsyncGenerator[AsyncConnection]:
    """Connect to the database for the block. Raises `SettingsError` if that can't be used.

    A writer of SQLite has foreign keys off, as tables are made again: dropping the old one would count as
    deleting its rows.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = server_engine(url, poolclass=NullPool)
    else:
        engine = create_async_engine(
            url, hide_parameters=True, connect_args={"isolation_level": None}, poolclass=NullPool
        )
        pragmas = PRAGMAS | {"foreign_keys": "OFF"} if writes else _READ_PRAGMAS
        event.listen(engine.sync_engine, "connect", partial(set_pragmas, pragmas))
    try:
        with usable_database(url):
            async with engine.connect() as connection:
                yield connection
    finally:
        await engine.dispose()
