"""Ways to make a test's database cheap."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from bot import db, storage
from bot.migrate import migrate
from bot.storage import Storage

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
    """Run a statement on the connection that writes, outside of any transaction."""
    inner = vars(storage.db)
    async with inner["_turn"], db.connected(inner["_writing"]) as run:
        await run(lambda connection: connection.connection.cursor().execute(pragma))


def _make_template() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "studii.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
        _made.append(file.read_bytes())


def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep SQLite from waiting for the disk: only a power cut could tell the difference."""
    monkeypatch.setitem(db.PRAGMAS, "synchronous", "OFF")


def sqlite_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements where they are awaited, for tests that take many thousands one by one.

    As below, and without giving way to other tasks, and without the guard against cancellations.
    """

    async def unshielded(awaitable: Awaitable[T]) -> T:
        return await awaitable

    sqlite_in_place(monkeypatch)
    monkeypatch.setattr(storage, "shielded", unshielded)
    monkeypatch.setattr(db, "shielded", unshielded)


def sqlite_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements in the loop's thread: the way to another one and back takes most of their time.

    The statements, the file and the transactions are the real ones.
    """

    def in_place(url: str, **options: Any) -> Engine:
        plain = make_url(url).set(drivername="sqlite")
        return create_engine(plain, connect_args={"isolation_level": None}, **options)

    monkeypatch.setattr(db, "sqlite_engine", in_place)
