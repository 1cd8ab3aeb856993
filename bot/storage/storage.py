"""The database: short transactions, one writer at a time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from typing import Concatenate, ParamSpec, TypeVar

from bot.aio.shield import shielded
from bot.clock import SystemClock
from bot.errors import Busy, DatabaseAway, DatabaseFailed, NotAlone, SettingsError
from bot.storage.database import engines
from bot.storage.database.async_engine import AsyncEngine
from bot.storage.database.changes import Changes
from bot.storage.database.errors import OutageLog, address_shown, usable_database
from bot.storage.database.fence import Fence, begin_fenced
from bot.storage.database.group_commit import GroupCommit
from bot.storage.database.location import private_file, sqlite_file
from bot.storage.database.privileges import missing_privileges_at
from bot.storage.database.session import Session, session
from bot.storage.database.unreadable import UnreadableRows
from bot.storage.servers import ServerMemory
from bot.storage.transaction import Transaction

Observe = Callable[[str, float], None]
"""Takes a name and seconds: "read" and "write" are transactions, "turn" is waiting to write, and "failure" is
one of those that failed."""

WRITE_TIMEOUT = 60.0  # seconds; long enough for a slow transaction, short enough to notice one that hangs
COMMAND_WRITE_TIMEOUT = 30.0  # seconds; meanwhile the answer is deferred
CLOSING = 2.0  # seconds that those who are in a transaction have to end it
_SLICE = 0.25  # seconds that one BEGIN waits: a cancellation is heard in between
_T = TypeVar("_T")
_Arguments = ParamSpec("_Arguments")


class Storage:
    """Made by `Storage.open`; safe to use from many tasks of one event loop."""

    def __init__(
        self,
        writing: AsyncEngine,
        reading: AsyncEngine,
        amending: AsyncEngine | None,
        fence: Fence | None,
        observe: Observe,
    ) -> None:
        self._writing = writing
        self._reading = reading
        self._amending = amending or writing
        self._fence = fence or Fence()
        self._observe = observe
        # One writer at a time, so that what it reads holds until it commits, on PostgreSQL as on SQLite.
        # Turns are taken in order of arrival, here rather than in SQLite, where waiting is a lottery.
        self._writer = asyncio.Lock()
        self._listeners: list[Callable[[Changes], None]] = []
        self._readers = asyncio.Semaphore(engines.READERS)
        self._closed = False
        self._unreadable = UnreadableRows()
        self._memory = ServerMemory()
        self._busy_timeout: int | None = None  # milliseconds; the one writing connection keeps it
        self._clock = SystemClock()  # patience is people's: real time, also where time is simulated
        self._reads = OutageLog("read", self._clock)
        self._writings = OutageLog("written", self._clock)
        self._groups: GroupCommit | None = None
        if writing.dialect.name == "sqlite":
            self._groups = GroupCommit(
                self._writer, self._for_group, self._begin, self._notify, self._memory.forget, self._clock
            )

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        url: str,
        *,
        patience: float = WRITE_TIMEOUT,
        fence: Fence | None = None,
        observe: Observe = lambda _what, _seconds: None,
    ) -> AsyncGenerator["Storage", None]:
        """Open the database at SQLAlchemy's async `url`, whose tables `migrate` has made.

        With `fence`, nothing is written once another process has taken over (see `amend`). Raises
        `SettingsError` if the file can't be written, or another program writes to it for longer than
        `patience` seconds.
        """
        path = sqlite_file(url)
        if path is not None:
            await asyncio.to_thread(private_file, path)
        on_server = None if path is not None else engines.migration_engine(url)
        storage = cls(engines.write_engine(url), engines.read_engine(url), on_server, fence, observe)
        try:
            with usable_database(url):
                async with storage.write(patience=patience) as transaction:
                    # The first writer turns on write-ahead logging, without which readers would block.
                    await transaction.begin()
            if path is None and (wrong := await missing_privileges_at(url)):
                raise SettingsError(f"The database at {address_shown(url)} {wrong}")
            yield storage
        finally:
            await shielded(storage._close())

    @property
    def unreadable(self) -> UnreadableRows:
        """Return the rows that could not be read since the database was opened."""
        return self._unreadable

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
        self._ensure_open()
        async with self._readers:
            with self._observed("read"), self._reads.watching():
                async with self._connected(self._reading) as current:
                    current.begin("BEGIN")
                    yield Transaction(current)

    def write(self, *, patience: float = WRITE_TIMEOUT) -> AbstractAsyncContextManager[Transaction]:
        """Change the database: all of the block, or nothing of it if the block raises.

        Raises `Busy` if the transaction could not begin within `patience` seconds (on SQLite it begins with
        its first statement, and that raises it), `DatabaseAway` if there is
        no way to the database, `NotAlone` if another process has taken over, and `DatabaseFailed` for any
        other failure of the database. A commit is never given up: if the task is cancelled meanwhile, it
        commits, and then raises CancelledError.
        """
        return self._writes(self._writing, patience, self._fence)

    async def amend(
        self,
        change: Callable[Concatenate[Transaction, _Arguments], Awaitable[_T]],
        *args: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> _T:
        """Return what `change` does within a transaction like `write`, also after another process has taken
        over.

        This is for the answer to a request that was sent before that. What it changes must be conditional on
        the row.
        """
        try:
            async with self.write() as transaction:
                return await change(transaction, *args, **options)
        except NotAlone:  # nothing was done yet, as the transaction begins with that
            async with self._writes(self._amending, WRITE_TIMEOUT, Fence()) as transaction:
                return await change(transaction, *args, **options)

    @asynccontextmanager
    async def _writes(
        self, engine: AsyncEngine, patience: float, fence: Fence
    ) -> AsyncGenerator[Transaction, None]:
        deadline = self._clock.monotonic() + patience
        with self._observed("turn"):
            await self._turn(patience)
        if self._groups is not None:
            with self._observed("write"), self._writings.watching():
                # SQLite's lock is a file's, and never lost.
                async with self._groups.write(deadline) as current:
                    yield Transaction(current, self._memory)
            return
        try:
            with self._observed("write"), self._writings.watching():
                async with self._connected(engine) as current:
                    await begin_fenced(current, fence, self._left(deadline))
                    self._left(deadline)  # that may have hung: nobody waits for what would be written now
                    yield Transaction(current)  # a server's rows may be changed by other processes
                    await self._commit(current)
        finally:
            self._writer.release()

    def _for_group(self) -> AbstractAsyncContextManager[Session]:
        return self._connected(self._writing, self._memory.changed)

    @contextmanager
    def _observed(self, what: str) -> Generator[None]:
        start = self._clock.monotonic()
        try:
            yield
        except NotAlone:
            raise  # which is counted where it is met
        except DatabaseFailed:
            self._observe("failure", self._clock.monotonic() - start)
            raise
        finally:
            self._observe(what, self._clock.monotonic() - start)

    async def _commit(self, current: Session) -> None:
        changes = current.changes
        try:
            await current.commit()
        except BaseException:
            # It may have been committed all the same.
            changes.others = True
            raise
        finally:
            # Still in turn, so that listeners are notified of changes in the order in which they are made.
            self._notify(changes)

    def _notify(self, changes: Changes) -> None:
        if changes:
            for listener in self._listeners:
                listener(changes)

    async def _close(self) -> None:
        """Close the connections after open transactions have ended, as the pool closes none that is in
        use."""
        self._closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING):
                await self._writer.acquire()
                if self._groups is not None:
                    await self._groups.finish()
                for _ in range(engines.READERS):
                    await self._readers.acquire()
        for engine in (self._writing, self._reading, self._amending):
            await engine.dispose()

    @asynccontextmanager
    async def _connected(
        self, engine: AsyncEngine, changed: Callable[[object], None] | None = None
    ) -> AsyncGenerator[Session, None]:
        async with AsyncExitStack() as stack:
            try:
                opened = session(engine, self._unreadable, changed, self._fence.shards)
                current = await stack.enter_async_context(opened)
            except OSError as error:  # as the driver of a server raises it when there is no way to it
                raise DatabaseAway from error
            yield current

    def _ensure_open(self) -> None:
        if self._closed:
            raise DatabaseAway

    async def _turn(self, patience: float) -> None:
        self._ensure_open()
        try:
            async with asyncio.timeout(patience):
                await self._writer.acquire()
        except TimeoutError:
            raise Busy from None

    def _left(self, deadline: float) -> float:
        """Return the seconds until then. Raises `Busy` if there are none."""
        # The timer above may be a simulated one; this is not.
        left = deadline - self._clock.monotonic()
        if left <= 0:
            raise Busy
        return left

    async def _begin(self, current: Session, deadline: float) -> None:
        patience = int(min(self._left(deadline), _SLICE) * 1000)
        if patience != self._busy_timeout:
            await current.run(f"PRAGMA busy_timeout={patience}")
            self._busy_timeout = patience
        current.begin("BEGIN IMMEDIATE", lambda: self._left(deadline))
