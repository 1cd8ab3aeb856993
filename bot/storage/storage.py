"""Transactions that are no functions yet: each has a repository for each subject."""

from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from bot.db import WRITE_TIMEOUT, Database, Fence, Run
from bot.sqlite_file import sqlite_file
from bot.storage.database.changes import Changes
from bot.storage.database.session import Session
from bot.storage.transaction import Transaction
from bot.unreadable import UnreadableRows


class Storage:
    """Made by `Storage.open`; safe to use from many tasks of one event loop. `db` is what is beneath it."""

    db: Database

    def __init__(self) -> None:
        self._on_sqlite = True
        self._listeners: list[Callable[[Changes], None]] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        patience: float = WRITE_TIMEOUT,
        fence: Fence | None = None,
        observe: Callable[[str, float], None] = lambda _what, _seconds: None,
    ) -> AsyncGenerator["Storage", None]:
        """Open the database at SQLAlchemy's async `url`, whose tables `migrate` has made.

        With `fence`, nothing is written once another process has taken over (see `Database.amend`). Raises
        `SettingsError` if the file can't be written, or another program writes to it for longer than
        `patience` seconds.
        """
        storage = cls()
        storage._on_sqlite = sqlite_file(url) is not None
        opened = Database.open(url, patience=patience, fence=fence, observe=observe, woken=storage._woken)
        async with opened as storage.db:
            yield storage

    @property
    def unreadable(self) -> UnreadableRows:
        """Return the rows that could not be read since the database was opened."""
        return self.db.unreadable

    @contextmanager
    def listening(self, listener: Callable[[Changes], None]) -> Generator[None]:
        """Call `listener` with what each transaction has changed, right after its commit.

        It must not raise. While the database fails, it is called with `others`.
        """
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[Transaction, None]:
        """See one moment of the database, beside any writer. Writing in it is an error.

        Raises `DatabaseAway` if it is closed or there is no way to it, and `DatabaseFailed` if it fails.
        """
        async with self.db.reading() as run:
            yield Transaction(self._session(run))

    @asynccontextmanager
    async def write(
        self, *, patience: float = WRITE_TIMEOUT, fenced: bool = True
    ) -> AsyncGenerator[Transaction, None]:
        """Change the database: all of the block, or nothing of it if the block raises.

        Raises what `Database.write` raises. A commit is never given up: if the task is cancelled meanwhile,
        it commits, and then raises CancelledError.
        """
        changes = Changes()
        committing = committed = False
        try:
            async with self.db.writing(patience, fenced=fenced) as run:
                session = self._session(run)
                changes = session.changes
                yield Transaction(session)
                committing = True
            committed = True
        finally:
            if committing:
                # It may have been committed all the same if it failed.
                changes.others |= not committed
                self._notify(changes)

    def _session(self, run: Run) -> Session:
        return Session(run, self.db.unreadable, self.db.fence.shards, on_sqlite=self._on_sqlite)

    def _woken(self, wakes: Mapping[Hashable, Any]) -> None:
        """Tell listeners what functions have changed: ("posts",), ("best",), or anything else."""
        changes = Changes()
        changes.add(wakes)
        self._notify(changes)

    def _notify(self, changes: Changes) -> None:
        if changes:
            for listener in self._listeners:
                listener(changes)
