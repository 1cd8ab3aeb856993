"""The disk: SQLite that fails, and a disk without room, when the machine says so."""

import asyncio
import resource
import signal
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, cast

Spoil = Callable[[str], sqlite3.OperationalError | None]
BUSY_SECONDS = 0.1  # that the bot lets SQLite wait for another program (its PRAGMA busy_timeout)
_WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "COMMIT")
_MESSAGES = {
    sqlite3.SQLITE_BUSY: "database is locked",
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_IOERR: "disk I/O error",
}


class _Spoiling(Protocol):
    spoil_statement: Spoil

    def executes(self) -> None: ...


def failure(code: int) -> sqlite3.OperationalError:
    """Return the error that SQLite raises with this code."""
    error = sqlite3.OperationalError(_MESSAGES[code])
    error.sqlite_errorcode = code
    return error


def is_busy(error: Exception) -> bool:
    """Return whether a statement has waited for another program in vain: SQLite says so, or SQLAlchemy."""
    return getattr(getattr(error, "orig", error), "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY


class Connection(sqlite3.Connection):
    """A connection of the bot's, whose statements may fail: `Loop.spoil_statement` is asked before each.

    A full or broken disk undoes the transaction, as SQLite does then.
    """

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self._spoil(sql)
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        self._spoil(sql)
        return super().executemany(sql, parameters)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_Cursor if factory is None else factory)

    def commit(self) -> None:
        if self.in_transaction:
            self._spoil("COMMIT")
        super().commit()

    def _spoil(self, sql: str) -> None:
        loop = cast(_Spoiling, asyncio.get_running_loop())
        loop.executes()
        error = loop.spoil_statement(sql)
        if error is None:
            return
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY and self.in_transaction:
            self.rollback()
        raise error


class _Cursor(sqlite3.Cursor):
    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.connection._spoil(sql)  # pyright: ignore
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        self.connection._spoil(sql)  # pyright: ignore
        return super().executemany(sql, parameters)


def writes(sql: str) -> bool:
    """Return whether a statement needs room."""
    return sql.lstrip()[:6].upper().startswith(_WRITES)


@contextmanager
def full() -> Generator[None]:
    """Let no file grow in this block: the kernel refuses each write with an error."""
    before, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, hard))
        with suppress(ValueError):
            signal.signal(signal.SIGXFSZ, handler)
