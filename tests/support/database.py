"""Ways to make a test's database cheap."""

import asyncio
import atexit
import shutil
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import aiosqlite
import pytest

from bot.storage import migrate
from bot.storage.database import session

T = TypeVar("T")


async def database(folder: Path) -> str:
    """The address of a database file of one's own with all tables: a copy of one that was made once.

    One that is there already is gone on with, as after a restart.
    """
    file = folder / "studii.db"
    if await asyncio.to_thread(file.exists):
        return f"sqlite+aiosqlite:///{file}"
    template = await asyncio.to_thread(_template)
    await asyncio.to_thread(shutil.copyfile, template, file)
    return f"sqlite+aiosqlite:///{file}"


@cache
def _template() -> Path:
    folder = Path(mkdtemp(prefix="studii-template-"))
    atexit.register(shutil.rmtree, folder)
    file = folder / "studii.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
    return file


def sqlite_in_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements where they are awaited, for tests that take many thousands one by one.

    As below, and without the guard against cancellations.
    """

    async def unshielded(awaitable: Awaitable[T]) -> T:
        return await awaitable

    sqlite_in_place(monkeypatch)
    monkeypatch.setattr(session, "shielded", unshielded)


def sqlite_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run SQLite's statements without the way to another thread and back, which takes most of their time.

    The statements, the file and the transactions are the real ones.
    """

    async def connect(self: Any) -> aiosqlite.Connection:
        if self._connection is None:
            self._connection = self._connector()
        return self

    async def execute(self: Any, function: Callable[..., Any], *args: Any, **named: Any) -> Any:
        return function(*args, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_connect", connect)
    monkeypatch.setattr(aiosqlite.Connection, "_execute", execute)
