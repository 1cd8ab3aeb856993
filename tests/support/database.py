"""Ways to make a test's database cheap."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Concatenate, ParamSpec, TypeVar

import aiosqlite.core
import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only

from bot import connections
from bot.db import Database
from bot.migrate import migrate

P = ParamSpec("P")
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
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(_made[0])


@asynccontextmanager
async def outage(db: Database) -> AsyncGenerator[None]:
    """Make SQLite refuse everything that is written, as on a disk that has become read-only."""
    await _run(db, "PRAGMA query_only=ON")
    try:
        yield
    finally:
        await _run(db, "PRAGMA query_only=OFF")


def given(
    work: Callable[Concatenate[Session, P], T], *args: P.args, **more: P.kwargs
) -> Callable[[Session], T]:
    """Return the function of a session with what is handed to it, which may be rows of a test's own."""
    return lambda session: work(session, *args, **more)


def holding(db: Database) -> AbstractAsyncContextManager[None]:
    """Keep others from writing, as a writer that takes long does."""
    return vars(db)["_turn"]


@asynccontextmanager
async def writing(db: Database) -> AsyncGenerator[None]:
    """Have a transaction that writes open."""
    begun, ended = asyncio.Event(), asyncio.Event()

    def hold(_: Session) -> None:
        begun.set()
        await_only(ended.wait())

    holder = asyncio.create_task(db.write(hold))
    await begun.wait()
    try:
        yield
    finally:
        ended.set()
        await holder


async def _run(db: Database, pragma: str) -> None:
    """Run a statement on the connection that writes, outside of any transaction."""
    async with holding(db):
        await vars(db)["_writing"].run(_outside, pragma)


def _outside(connection: Connection, pragma: str) -> None:
    connection.connection.cursor().execute(pragma)


def _make_template() -> None:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "studii.db"
        asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
        _made.append(file.read_bytes())


def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep SQLite from waiting for the disk: only a power cut could tell the difference."""
    monkeypatch.setitem(connections.PRAGMAS, "synchronous", "OFF")


class _Here:
    """In place of the queue to aiosqlite's thread, and of the thread: what is put in is done at once."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def start(self) -> None: ...

    def put_nowait(self, item: tuple["asyncio.Future[Any] | None", Callable[[], Any]]) -> None:
        told, work = item
        try:
            result = Context().run(work)  # a thread has none of the loop's
        except BaseException as error:
            if told is None:
                raise
            told.set_exception(error)
        else:
            if told is not None:
                told.set_result(result)


def sqlite_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's transactions in the loop's thread: the way to another and back takes most of their time.

    The statements, the file and the transactions are the real ones.
    """
    monkeypatch.setattr(aiosqlite.core, "SimpleQueue", _Here)
    monkeypatch.setattr(aiosqlite.core, "Thread", _Here)
