"""SQLAlchemy's adapter of aiosqlite, with one call into the driver's thread for each statement.

The original makes four to six: for the cursor, the statement, its rows, and the end of the cursor. Each one
hands the interpreter from thread to thread, which costs more than most statements do.

A `Session` never abandons a call: if its task is cancelled meanwhile, the connection notes that, and the
session raises it when the statement has ended.

A statement whose answer nobody needs makes no call: it goes along with the next one.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_dbapi
from sqlalchemy.util import await_only

_T = TypeVar("_T")


class _Steady(asyncio.Future[_T]):
    """A future that a task awaits to its end although it is cancelled."""

    def cancel(self, msg: Any | None = None) -> bool:
        return False


class _Later(NamedTuple):
    """A statement that is executed by the next call; with `many`, for each of several rows of parameters."""

    operation: str
    parameters: Sequence[Any]
    many: bool

    def execute(self, raw: sqlite3.Connection) -> None:
        """Execute it. If it fails, the transaction is undone, as who has executed it may have ended."""
        try:
            execute = raw.executemany if self.many else raw.execute
            execute(self.operation, self.parameters).close()
        except BaseException:
            raw.rollback()
            raise


class OneCallConnection(AsyncAdapt_aiosqlite_connection):
    """A connection that makes one call for each statement.

    With `steady`, a call ends before its task hears that it was cancelled: `raise_cancelled` tells it.
    `first` are statements without a result that are executed by the next call, before what that is for. If
    another process holds the file then, the call is repeated as long as `wait_on` returns: it raises when
    there is no more patience. With `later`, statements are added to these.
    """

    steady = False
    later = False
    first: tuple[str | _Later, ...] = ()
    wait_on: Callable[[], object] | None = None
    cancelled: asyncio.CancelledError | None = None

    def cursor(self, server_side: bool = False) -> Any:
        return super().cursor(server_side=True) if server_side else _Cursor(self)

    def commit(self) -> None:
        if not any(isinstance(one, _Later) for one in self.first):
            self.first = ()
        if self.in_transaction:
            self.call(sqlite3.Connection.commit)

    def rollback(self) -> None:
        self.first = ()
        if self.in_transaction:
            self.call(sqlite3.Connection.rollback)

    def call(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Return what the function returns, called in the driver's thread."""
        first, self.first = self.first, ()
        if first:
            function = partial(_after, first, function)
        while True:
            try:
                return await_only(self._call(function))
            except _HeldByAnotherProcess as error:
                if self.wait_on is None or self.cancelled is not None:
                    self._handle_exception(error.reason)
                self.wait_on()
            except Exception as error:  # noqa: BLE001 - the adapter's own way
                self._handle_exception(error)

    def raise_cancelled(self) -> None:
        """Raise the cancellation that came during a call, if one did."""
        cancelled, self.cancelled = self.cancelled, None
        if cancelled is not None:
            raise cancelled

    @property
    def in_transaction(self) -> bool:
        """Return whether a transaction is open, or will be with the next call."""
        raw: sqlite3.Connection | None = self._driver._connection  # noqa: SLF001
        return bool(self.first) or (raw is not None and raw.in_transaction)

    @property
    def _driver(self) -> Any:
        return self._connection

    async def _call(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        # As aiosqlite's `_execute`, which abandons the call when its task is cancelled.
        driver = self._driver
        raw: sqlite3.Connection | None = driver._connection  # noqa: SLF001
        if raw is None or not driver._running:  # noqa: SLF001
            raise ValueError("Connection closed")
        loop = asyncio.get_running_loop()
        ended = _Steady[_T](loop=loop) if self.steady else loop.create_future()
        driver._tx.put_nowait((ended, partial(function, raw)))  # noqa: SLF001
        try:
            return await ended
        except asyncio.CancelledError as error:
            if not self.steady:
                raise
            self.cancelled = error
            return ended.result()


class _Cursor:
    """Has all rows as soon as the statement has been executed."""

    server_side = False

    def __init__(self, connection: OneCallConnection) -> None:
        self._connection = connection
        self._rows = deque[Any]()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    def execute(self, operation: str, parameters: Sequence[Any] | None = None) -> None:
        if self._connection.later:
            self._connection.first += (_Later(operation, parameters or (), many=False),)
            return
        self._keep(self._connection.call(lambda raw: _outcome(raw.execute(operation, parameters or ()))))

    def executemany(self, operation: str, seq_of_parameters: Sequence[Sequence[Any]]) -> None:
        if self._connection.later:
            self._connection.first += (_Later(operation, seq_of_parameters, many=True),)
            return
        self._keep(self._connection.call(lambda raw: _outcome(raw.executemany(operation, seq_of_parameters))))

    def _keep(self, outcome: tuple[Any, list[Any], int, int | None]) -> None:
        self.description, rows, self.rowcount, self.lastrowid = outcome
        self._rows = deque(rows)

    def __iter__(self) -> Iterator[Any]:
        while self._rows:
            yield self._rows.popleft()

    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or self.arraysize, len(self._rows)))]

    def fetchall(self) -> list[Any]:
        rows = list(self._rows)
        self._rows.clear()
        return rows

    def close(self) -> None:
        self._rows.clear()

    async def _async_soft_close(self) -> None:
        """Do nothing: the driver's cursor is closed already."""


class _OneCallDriver(AsyncAdapt_aiosqlite_dbapi):
    def connect(self, *arg: Any, **kw: Any) -> OneCallConnection:
        made: Any = super().connect(*arg, **kw)
        return OneCallConnection(self, made._connection)  # noqa: SLF001


def one_call_driver() -> Any:
    """Return the module that `create_engine` takes in place of aiosqlite's."""
    return _OneCallDriver(aiosqlite, sqlite3)


class _HeldByAnotherProcess(Exception):
    """A transaction could not begin, and nothing was done."""

    def __init__(self, reason: sqlite3.OperationalError) -> None:
        super().__init__(reason)
        self.reason = reason


def _after(
    first: Sequence[str | _Later], function: Callable[[sqlite3.Connection], _T], raw: sqlite3.Connection
) -> _T:
    for statement in first:
        if isinstance(statement, _Later):
            statement.execute(raw)
            continue
        try:
            raw.execute(statement).close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise _HeldByAnotherProcess(error) from error
            raise
    return function(raw)


def _outcome(cursor: sqlite3.Cursor) -> tuple[Any, list[Any], int, int | None]:
    try:
        description = cursor.description
        rows = cursor.fetchall() if description else []
        return description, rows, cursor.rowcount, cursor.lastrowid  # the rows first: they may change more
    finally:
        cursor.close()
