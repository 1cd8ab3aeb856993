"""One commit for all writers of an SQLite file who wait, as each commit waits for the disk."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress

from bot.aio.shield import shielded
from bot.clock import Clock
from bot.errors import DatabaseFailed
from bot.storage.database.changes import Changes
from bot.storage.database.session import Session

MAX_JOINED_WRITERS = 50  # writers in a transaction
JOINING = 0.05  # seconds after which nobody joins a transaction: the first in it waits for the last


class _Group:
    """A transaction that is open, and the changes of the writers that have ended in it, in order.

    `over` ends when it is committed, with the error if it failed.
    """

    def __init__(self, session: Session, opened: AsyncExitStack, began: float) -> None:
        self.session = session
        self.opened = opened
        self.began = began
        self.changes: list[Changes] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def takes_more(self, now: float) -> bool:
        return len(self.changes) < MAX_JOINED_WRITERS and now < self.began + JOINING

    async def ended(self) -> None:
        """Return when it is over, however that went."""
        with suppress(Exception):
            await shielded(self.over)


class GroupCommit:
    """Lets writers share a transaction, one after the other, and commits it for all of them at once.

    The first writer that ends puts the commit in line for the turn. Writers that were in line before it join:
    each has a savepoint of its own, so that its error undoes what it has changed and nothing else. Nobody is
    told anything before the commit. One that fails, fails for all; a writer alone waits for nobody.
    """

    def __init__(
        self,
        turn: asyncio.Lock,
        connected: Callable[[], AbstractAsyncContextManager[Session]],
        begin: Callable[[Session, float], Awaitable[None]],
        committed: Callable[[Changes], None],
        undone: Callable[[], None],
        clock: Clock,
    ) -> None:
        """Write over a connection from `connected`, whose transaction `begin` begins by a deadline.

        The functions are called during the turn: `committed` with the changes of each writer, and `undone`
        when something that others may have read in the transaction is undone.
        """
        self._turn = turn
        self._connected = connected
        self._begin = begin
        self._committed = committed
        self._undone = undone
        self._clock = clock
        self._group: _Group | None = None
        self._commits: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def write(self, deadline: float) -> AsyncGenerator[Session, None]:
        """Change the database, in the turn that the caller has taken and that ends with the block.

        Returns when the changes are committed, also if the task is cancelled meanwhile. Raises what the
        block, the beginning or the commit raises.
        """
        try:
            group = await self._joined(deadline)
        except BaseException:
            self._turn.release()
            raise
        try:
            async with self._part(group) as own:
                yield own
        except Exception:
            await group.ended()  # the reason may be what the others have changed
            raise
        await shielded(group.over)

    @asynccontextmanager
    async def _part(self, group: _Group) -> AsyncGenerator[Session, None]:
        """Keep what the block changes for the commit, or undo it if the block raises; then end the turn."""
        own = group.session.in_turn()
        try:
            if group.changes:
                group.session.mark(_mark_of(group))
            yield own
            if not group.session.in_transaction:
                raise DatabaseFailed  # noqa: TRY301 - SQLite has undone it all, and the block has gone on
            self._keep(group, own.changes)
        except BaseException as error:
            await shielded(self._undo(group, error))
            raise
        finally:
            self._turn.release()

    async def finish(self) -> None:
        """Commit what is open. The caller has the turn."""
        if self._group is not None:
            await shielded(self._commit(self._group))

    async def _joined(self, deadline: float) -> _Group:
        if self._group is not None and not self._group.takes_more(self._clock.monotonic()):
            await self.finish()
        if self._group is None:
            self._group = await self._begun(deadline)
        return self._group

    async def _begun(self, deadline: float) -> _Group:
        async with AsyncExitStack() as opened:
            session = await opened.enter_async_context(self._connected())
            await self._begin(session, deadline)
            return _Group(session, opened.pop_all(), self._clock.monotonic())

    def _keep(self, group: _Group, changes: Changes) -> None:
        group.changes.append(changes)
        if len(group.changes) == 1:
            task = asyncio.create_task(self._commit_in_turn(group), name="commit")
            self._commits.add(task)
            task.add_done_callback(self._commits.discard)

    async def _undo(self, group: _Group, error: BaseException) -> None:
        """Undo what one writer has changed; the whole transaction if SQLite has undone it."""
        self._undone()
        if not group.changes:
            await self._end(group)
            return
        try:
            if not group.session.in_transaction:
                raise DatabaseFailed from error  # noqa: TRY301
            await group.session.undo_to(_mark_of(group))
        except Exception as failure:  # noqa: BLE001 - raised for each of the others
            await self._end(group, failure)

    async def _commit_in_turn(self, group: _Group) -> None:
        try:
            async with self._turn:
                if self._group is group:
                    await self._commit(group)
        finally:
            group.over.cancel()  # only if the loop ends before it came to that

    async def _commit(self, group: _Group) -> None:
        failure: Exception | None = None
        try:
            await group.session.commit()
        except Exception as error:  # noqa: BLE001 - raised for each writer
            failure = error
            self._undone()
            for changes in group.changes:
                changes.others = True  # it may have been committed all the same
        for changes in group.changes:
            self._committed(changes)
        await self._end(group, failure)

    async def _end(self, group: _Group, failure: Exception | None = None) -> None:
        """Close the connection, which undoes what isn't committed, and tell those who wait."""
        self._group = None
        try:
            if failure is not None:
                await group.session.undo()
            await group.opened.aclose()
        finally:
            if failure is None:
                group.over.set_result(None)
            else:
                group.over.set_exception(failure)


def _mark_of(group: _Group) -> str:
    return f"writer_{len(group.changes)}"
