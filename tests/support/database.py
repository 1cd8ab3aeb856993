"""Ways to make a test's database cheap."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import aiosqlite
import pytest

from bot.storage import Storage, migrate
from bot.storage.database import engines, session
from bot.storage.database.sqlite_driver import OneCallConnection

T = TypeVar("T")
_made: list[bytes] = []  # a database with all tables, of which each test's is a copy


async def database(folder: Path) -> str:
    """Provide the address of a database file of one's own with all tables, copied from one made once.

    A file that is there already is kept, as after a restart.
    """
    file = folder / "studii.db"
    if not _made:
        await asyncio.to_thread(_make_template)
    _copied(file)  # here: a loop's first thread costs more than a small file in memory
    return f"sqlite+aiosqlite:///{file}"


def _copied(file: Path) -> None:
    if not file.exists():
        file.write_bytes(_made[0])


@asynccontextmanager
async def outage(storage: Storage) -> AsyncGenerator[None]:
    """Make SQLite refuse everything that is written, as on a disk that has become read-only."""
    await _run(storage, "PRAGMA query_only=ON")
    try:
        yield
    finally:
        await _run(storage, "PRAGMA query_only=OFF")


async def _run(storage: Storage, pragma: str) -> None:
    async with vars(storage)["_writer"]:
        await vars(storage)["_groups"].finish()
        async with vars(storage)["_writing"].connect() as connection:
            await connection.exec_driver_sql(pragma)


def _make_template() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "studii.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
        _made.append(file.read_bytes())


def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep SQLite from waiting for the disk: only a power cut could tell the difference."""
    told = "PRAGMA synchronous=FULL"
    name = "_WRITE_PRAGMAS"
    pragmas: tuple[str, ...] = getattr(engines, name)
    assert told in pragmas
    quick = tuple(pragma.replace("FULL", "OFF") if pragma == told else pragma for pragma in pragmas)
    monkeypatch.setattr(engines, name, quick)


def sqlite_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements where they are awaited, for tests that take many thousands one by one.

    As below, and without giving way to other tasks, and without the guard against cancellations.
    """

    async def unshielded(awaitable: Awaitable[T]) -> T:
        return await awaitable

    async def call(self: Any, function: Callable[[sqlite3.Connection], T]) -> T:
        return function(self._driver._connection)

    sqlite_in_place(monkeypatch)
    monkeypatch.setattr(OneCallConnection, "_call", call)
    monkeypatch.setattr(session, "shielded", unshielded)


def sqlite_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements in the loop's thread: the way to another one and back takes most of their time.

    The statements, the file and the transactions are the real ones. As with the driver's thread, other tasks
    run while one awaits a statement, and a statement that was begun ends before a cancellation is raised.
    """

    async def start(self: Any) -> aiosqlite.Connection:
        self._connection = self._connector()
        return self

    def begin(self: Any) -> Generator[Any, None, aiosqlite.Connection]:
        return start(self).__await__()

    async def execute(self: Any, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return function(*given, **named)

    async def close(self: Any) -> None:
        if self._connection is not None:
            self._connection.close()
            self._running, self._connection = False, None

    async def call(self: Any, function: Callable[[sqlite3.Connection], T]) -> T:
        raw: sqlite3.Connection | None = self._driver._connection
        if raw is None:
            raise ValueError("Connection closed")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as error:
            if not self.steady:
                raise
            self.cancelled = error
        return function(raw)

    monkeypatch.setattr(aiosqlite.Connection, "__await__", begin)
    monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)
    monkeypatch.setattr(aiosqlite.Connection, "close", close)
    monkeypatch.setattr(OneCallConnection, "_call", call)
