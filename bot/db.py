"""A transaction is a function.

    style_id = await db.write(styles.save, guild_id, user_id, name, inputs)
    found = await db.read(styles.usable, guild_id, user_id, roles)

Such a function takes a session, ids and plain values. It loads its rows itself, and what it returns is
detached. Writers that wait share one commit, each in a savepoint. If one spoils the transaction, each is done
alone. Nothing is woken before the commit.

On SQLite, a transaction is done in one go in the thread that aiosqlite has for its connection (see
`bot.connections`): it must neither rely on the loop nor share with it what changes. On PostgreSQL it awaits
asyncpg in the loop. In both it has its caller's context: it words what it refuses in the caller's language.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Hashable, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from time import perf_counter  # patience is people's: real time, not a clock's
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.aio.tasks import shielded
from bot.base import Shards
from bot.connections import (
    READERS,
    WRITE_TIMEOUT,
    as_failure,
    connections_of,
    reason_in_words,
    usable_database,
)
from bot.errors import Busy, Collided, DatabaseAway, NotAlone, Unsure
from bot.sqlite_file import private_file, sqlite_file

_log = logging.getLogger(__name__)

_P = ParamSpec("_P")
_A = TypeVar("_A")
_T = TypeVar("_T")

COMMAND_WRITE_TIMEOUT = 30.0  # seconds; meanwhile the answer is deferred
LEASE_TIMEOUT = 4.0  # seconds for a statement about leases; they are renewed every few seconds
CLOSING = 2.0  # seconds that those who are in a transaction have to end it
MAX_GROUP = 100  # writers that share a commit

NAME_PREFIX = "studii process "  # of a transaction, in pg_stat_activity
# A process that was stopped within a transaction keeps its locks no longer than the second bound. Others wait
# for a lock a little longer, so that they get it then. Both are the transaction's alone, since what belongs
# to a connection does not survive PgBouncer.
BOUNDS = (
    "SELECT set_config('lock_timeout', '8s', true),"
    " set_config('idle_in_transaction_session_timeout', '5s', true)"
)
# The row is locked against being taken over, which waits for this transaction. Renewing the lease changes no
# key, and so does not wait. The name lets the next process end the transaction: the idle timeout does not see
# a client that was stopped between two messages of one statement.
_FENCE = ", set_config('application_name', :name, true) FROM processes WHERE epoch = :epoch FOR KEY SHARE"


Listener = Callable[[Mapping[Hashable, Any]], None]


class Fence:
    """The right to write for the servers of some shards, by the number of the process that has it.

    Without a number, it is a process that works alone, or an operator's command. `shards` are those whose
    servers are this process's.
    """

    epoch: int | None = None
    shards: Shards = Shards()

    def met(self) -> None:
        """Note that a transaction found the row gone: another process has taken over."""


@dataclass(slots=True, eq=False)
class _Write:
    """A writer. Those of a group with the same `work` do it together: it returns an answer for each."""

    work: Callable[[Session, Sequence[Any]], Sequence[Any]]
    asked: Any
    since: float
    until: float
    answer: "asyncio.Future[Any]"
    amends: bool  # it is done without the fence if that is lost
    result: Any = None
    error: Exception | None = None
    wakes: dict[Hashable, Any] = field(default_factory=dict[Hashable, Any])


class Database:
    """One writer at a time, and some readers."""

    def __init__(
        self,
        url: str,
        *,
        fence: Fence | None = None,
        observe: Callable[[str, float], None] = lambda _what, _seconds: None,
        statement_timeout: float = WRITE_TIMEOUT,
        used_for: str | None = None,
    ) -> None:
        """Tell `observe` names and seconds: "read" and "write" are transactions, "turn" is waiting to write.

        "failure" is one of those that failed. Each statement on a server ends after
        `statement_timeout` seconds. `used_for`, as in "used to …", is what outages are logged to prevent.
        """
        self.fence = fence or Fence()
        self._writing = connections_of(url, statement_timeout, writes=True)
        self._reading = connections_of(url, statement_timeout, writes=False)
        self._listeners, self._observe = list[Listener](), observe
        self._turn, self._readers = asyncio.Lock(), asyncio.Semaphore(READERS)
        self._waiting: deque[_Write] = deque()
        self._tasks = set[asyncio.Task[Any]]()
        self._writer: asyncio.Task[None] | None = None
        self._closed, self.unreadable = False, set[str]()  # jobs whose rows could not be read
        self._written = "written" if used_for is None else f"used to {used_for}"
        self._failing_since = dict[str, float]()

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, patience: float = WRITE_TIMEOUT, **more: Any
    ) -> AsyncGenerator["Database"]:
        """Open the database, whose tables `migrate` has made, and close it at the end.

        Raises `SettingsError` if it can't be written, or another program writes to it for longer than
        `patience` seconds.
        """
        if (path := sqlite_file(url)) is not None:
            await asyncio.to_thread(private_file, path)
        db = cls(url, **more)
        try:
            with usable_database(url):
                # The first writer turns on write-ahead logging, without which readers would block.
                await db.write(
                    lambda session: session.execute(text("UPDATE meta SET value = value WHERE name = ''")),
                    within=patience,
                )
            yield db
        finally:
            await shielded(db.close())

    async def read(
        self, work: Callable[Concatenate[Session, _P], _T], *args: _P.args, **more: _P.kwargs
    ) -> _T:
        """Return what `work` finds in one moment of the database. Writing in it is an error.

        Raises `DatabaseAway` if there is no way to the database, and `DatabaseFailed` if it fails.
        """
        if self._closed:
            raise DatabaseAway
        context = copy_context()
        # Shielded: a statement that is cancelled would cost the connection.
        return await asyncio.shield(
            self._task(self._read(lambda session: context.run(work, session, *args, **more)), "reader")
        )

    async def write(
        self,
        work: Callable[Concatenate[Session, _P], _T],
        *args: _P.args,
        within: float = COMMAND_WRITE_TIMEOUT,  # pyright: ignore[reportGeneralTypeIssues]
        **more: _P.kwargs,
    ) -> _T:
        """Return what `work` returns, once its changes are on the disk: all of them, or none if it raises.

        It is called once more if those with which it shared a commit have spoiled that. Raises `Busy` if
        nothing was done within so many seconds, `DatabaseAway` if there is no way to the database, `NotAlone`
        if another process has taken over, and `DatabaseFailed` for any other failure: then nothing was
        written, unless the commit's answer was lost. A write that was begun is finished, also if the caller
        is cancelled.
        """
        return await self.write_together(_alone(work, *args, **more), None, within)

    async def write_together(
        self,
        work: Callable[[Session, Sequence[_A]], Sequence[_T]],
        asked: _A,
        within: float = COMMAND_WRITE_TIMEOUT,
        *,
        amends: bool = False,
    ) -> _T:
        """Do as `write`. `work` is called once for all that wait for the same, in order of arrival.

        It returns an answer for each. If it raises, it is called for each alone. It has no one's context.
        `amends`: see `amend`.
        """
        if self._closed:
            raise DatabaseAway
        answer: asyncio.Future[_T] = asyncio.get_running_loop().create_future()
        answer.add_done_callback(lambda one: one.cancelled() or one.exception())  # also if no one awaits it
        began = perf_counter()
        one = _Write(work, asked, began, began + within, answer, amends)
        self._waiting.append(one)
        if self._writer is None:
            self._writer = self._task(self._write_all(), "writer")
        try:
            await asyncio.wait((answer,), timeout=within)
            if one in self._waiting:
                self._observe("failure", perf_counter() - began)
                raise Busy
        finally:
            if one in self._waiting:
                self._waiting.remove(one)
        return await asyncio.shield(answer)

    async def amend(
        self, work: Callable[Concatenate[Session, _P], _T], *args: _P.args, **more: _P.kwargs
    ) -> _T:
        """Do as `write`, also after another process has taken over.

        This is for the answer to a request that was sent before that. What it changes must be conditional on
        the row.
        """
        return await self.write_together(_alone(work, *args, **more), None, WRITE_TIMEOUT, amends=True)

    @contextmanager
    def listening(self, listener: Listener) -> Generator[None]:
        """Call `listener` after each commit with what its functions have named in `wake`, and changed jobs.

        Those are named by ("job", id), with the job as it is now. It is called for a commit that failed, too:
        that may have been made.
        """
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    async def close(self) -> None:
        """Close the connections after open transactions have ended: the pool closes none that is in use."""
        self._closed = True
        try:
            async with asyncio.timeout(CLOSING):
                while self._tasks:
                    await asyncio.wait(self._tasks)
                await self._turn.acquire()
        except TimeoutError:
            _log.warning("A transaction didn't end within %.0f s.", CLOSING)
        for connections in (self._writing, self._reading):
            await connections.close()

    async def _read(self, work: Callable[[Session], _T]) -> _T:
        async with self._readers:
            with self._watched("read", "read"):
                return await self._reading.run(self._look, work)

    def _look(self, connection: Connection, work: Callable[[Session], _T]) -> _T:
        connection.begin()
        with self._session(connection, "rollback_only", {}) as session:
            return work(session)

    async def _write_all(self) -> None:
        group: list[_Write] = []
        try:
            while self._waiting:
                async with self._turn:
                    group = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_GROUP))]
                    self._observe("turn", max((perf_counter() - one.since for one in group), default=0.0))
                    if await self._done_together(group, self.fence):
                        for one in group:
                            if type(one.error) is not Busy or perf_counter() < one.until:
                                await self._done_together([one], self.fence)
                    for one in group:
                        if one.amends and isinstance(one.error, NotAlone):
                            await self._done_together([one], Fence())
                self._tell(group)
        finally:
            self._writer = None
            for one in (*group, *self._waiting):
                one.answer.cancel()  # only if the loop ends: the callers must not wait for ever

    async def _done_together(self, group: list[_Write], fence: Fence) -> bool:
        """Do what the group waits for in one transaction. Return whether each has to be done alone."""
        try:
            with self._watched("write", self._written):
                await self._commit(group, fence)
        except Exception as error:  # noqa: BLE001 - told to who has asked
            for one in group:
                one.error = error
            return len(group) > 1 and not isinstance(error, DatabaseAway | Unsure)
        return False

    async def _commit(self, group: list[_Write], fence: Fence) -> None:
        while True:
            try:
                return await self._writing.run(self._do, group, fence)
            except DBAPIError as error:
                # Nothing was done by who was too late or collided: it is done again while there is time.
                if type(as_failure(error)) not in {Busy, Collided}:
                    raise
                if perf_counter() >= min(one.until for one in group):
                    raise

    def _do(self, connection: Connection, group: list[_Write], fence: Fence) -> None:
        begin(connection, fence)
        mode = "create_savepoint" if len(group) > 1 else "rollback_only"
        together: dict[Any, list[_Write]] = {}
        for one in group:
            one.result, one.error, one.wakes = None, None, {}
            if perf_counter() > one.until:  # the server has hung: no one waits for it any more
                one.error = Busy()
            else:
                together.setdefault(one.work, []).append(one)
        parts = deque(together.values())
        while parts:
            some = parts.popleft()
            wakes = some[0].wakes
            with self._session(connection, mode, wakes) as session:
                try:
                    answers = some[0].work(session, [one.asked for one in some])
                    session.commit()
                except (DBAPIError, OSError):
                    raise  # it may have spoiled the transaction; alone, it gets the error
                except Exception as error:  # noqa: BLE001 - its own, told to who has asked
                    session.rollback()
                    wakes.clear()
                    if len(some) > 1:
                        parts.extendleft([one] for one in reversed(some))
                    else:
                        some[0].error = error
                    continue
            for one, answer in zip(some, answers, strict=True):
                one.result = answer
        try:
            connection.commit()
        except (DBAPIError, OSError) as error:
            raise Unsure from error

    def _session(
        self,
        connection: Connection,
        mode: Literal["create_savepoint", "rollback_only"],
        wakes: dict[Hashable, Any],
    ) -> Session:
        info = {"shards": self.fence.shards, "wakes": wakes, "unreadable": self.unreadable}
        return Session(connection, join_transaction_mode=mode, expire_on_commit=False, info=info)

    def _tell(self, group: list[_Write]) -> None:
        for one in group:
            if one.answer.done():
                continue  # the caller was cancelled, or is late
            if one.error is not None:
                one.answer.set_exception(one.error)
            else:
                one.answer.set_result(one.result)
        # Also of a commit that failed: it may have been made all the same.
        wakes = {what: now for one in group for what, now in one.wakes.items()}
        for listener in self._listeners if wakes else ():
            try:
                listener(wakes)
            except Exception:  # noqa: BLE001 - the commit is made, and the next reading finds it
                _log.exception("Something wasn't told what was committed")

    def _task(self, work: Coroutine[Any, Any, _T], name: str) -> asyncio.Task[_T]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @contextmanager
    def _watched(self, what: str, shown: str) -> Generator[None]:
        """Surround each try: observe it, and log once that the database fails, and once that it works again.

        Raises `DatabaseFailed` in place of a driver's error, if the database failed.
        """
        start = perf_counter()
        try:
            yield
        except NotAlone:
            raise  # which is counted and logged where it is met
        except Exception as error:
            failure = as_failure(error)
            if failure is None:
                raise
            self._observe("failure", perf_counter() - start)
            if what not in self._failing_since:
                self._failing_since[what] = perf_counter()
                _log.warning(
                    "The database can't be %s (%s). The bot will keep trying.", shown, reason_in_words(error)
                )
            if failure is error:
                raise
            raise failure from error
        finally:
            self._observe(what, perf_counter() - start)
        if (since := self._failing_since.pop(what, None)) is not None:
            _log.warning("The database can be %s again, after %.0f s.", shown, perf_counter() - since)


def begin(connection: Connection, fence: Fence) -> None:
    """Begin a transaction that writes. Raises `NotAlone` if another process has taken over."""
    connection.begin()
    if connection.dialect.name == "sqlite":
        return
    if fence.epoch is None:
        connection.exec_driver_sql(BOUNDS)
        return
    named = {"name": f"{NAME_PREFIX}{fence.epoch}", "epoch": fence.epoch}
    if connection.execute(text(BOUNDS + _FENCE), named).first() is None:
        fence.met()
        raise NotAlone


def _alone(
    work: Callable[Concatenate[Session, _P], _T], *args: _P.args, **more: _P.kwargs
) -> Callable[[Session, Sequence[Any]], list[_T]]:
    """Return what does the work for one who waits, in the context of now."""
    context = copy_context()
    return lambda session, _: [context.run(work, session, *args, **more)]
