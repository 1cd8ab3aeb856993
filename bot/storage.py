"""Transactions that are no functions yet, and what was changed, for those who act on it without asking."""

from collections.abc import AsyncGenerator, Callable, Generator, Hashable, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.aio.shield import shielded
from bot.db import WRITE_TIMEOUT, Database, Fence, Run
from bot.domain.shards import Shards
from bot.jobs.models import Job

_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(slots=True)
class Changes:
    """The changes of one committed transaction.

    `jobs` are the changed jobs as they are now, by id, and `posts` that a message is to be sent, edited
    or deleted. `best`: a starred result is to be shown, or to be taken back. `lanes`: jobs on lanes may have
    changed that are not named. `questions`: one was asked or withdrawn. With `others`, more has changed than
    these: what is kept in memory has to be read again.
    """

    jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    posts: bool = False
    best: bool = False
    lanes: bool = False
    questions: bool = False
    others: bool = False

    def of(self, shards: Shards) -> "Changes":
        """Return the changes that concern the servers of these shards.

        A transaction may change jobs of other processes' servers, as when it learns the price of a key that
        they share: those processes continue with them.
        """
        if shards.all:
            return self
        jobs = {job.id: job for job in self.jobs.values() if shards.has(job.guild_id)}
        return replace(self, jobs=jobs)

    def add(self, wakes: Mapping[Any, Any]) -> None:
        """Add changed jobs, and what `wake` was given: ("posts",), ("best",), or anything else."""
        for one, now in wakes.items():
            if one[0] == "job":
                self.jobs[one[1]] = now
            elif one == ("posts",):
                self.posts = True
            elif one == ("best",):
                self.best = True
            elif one == ("lanes",):
                self.lanes = True
            elif one == ("questions",):
                self.questions = True
            else:
                self.others = True

    def __bool__(self) -> bool:
        return bool(self.others or self.jobs or self.posts or self.best or self.lanes or self.questions)


class Transaction:
    """One transaction, whose functions complete even if the task is cancelled."""

    def __init__(self, run: Run, info: Mapping[Any, Any]) -> None:
        self._run, self._info = run, info
        self.changes = Changes()

    async def run(
        self, work: Callable[Concatenate[Session, _P], _T], *args: _P.args, **more: _P.kwargs
    ) -> _T:
        """Return what a function of a session, as `Database.write` takes it, does in this transaction."""
        wakes: dict[Hashable, Any] = {}
        info = {**self._info, "wakes": wakes}
        done = await shielded(self._run(_in_session, info, lambda session: work(session, *args, **more)))
        self.changes.add(wakes)
        return done


def _in_session(connection: Connection, info: dict[Any, Any], work: Callable[[Session], _T]) -> _T:
    if not connection.in_transaction():
        connection.begin()  # or the session would begin one of its own, and end it
    # What it commits is flushed: the transaction is ended by who has begun it.
    mode = "rollback_only"
    with Session(connection, join_transaction_mode=mode, expire_on_commit=False, info=info) as session:
        done = work(session)
        session.commit()
        return done


class Storage:
    """Made by `Storage.open`; safe to use from many tasks of one event loop. `db` is what is beneath it."""

    db: Database

    def __init__(self) -> None:
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
        opened = Database.open(url, patience=patience, fence=fence, observe=observe, woken=storage._woken)
        async with opened as storage.db:
            yield storage

    @property
    def unreadable(self) -> set[str]:
        """Return the jobs that could not be read since the database was opened."""
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
            yield Transaction(run, self._info)

    @asynccontextmanager
    async def write(self, *, patience: float = WRITE_TIMEOUT) -> AsyncGenerator[Transaction, None]:
        """Change the database: all of the block, or nothing of it if the block raises.

        Raises what `Database.write` raises. A commit is never given up: if the task is cancelled meanwhile,
        it commits, and then raises CancelledError.
        """
        changes = Changes()
        committing = committed = False
        try:
            async with self.db.writing(patience) as run:
                transaction = Transaction(run, self._info)
                changes = transaction.changes
                yield transaction
                committing = True
            committed = True
        finally:
            if committing:
                # It may have been committed all the same if it failed.
                changes.others |= not committed
                self._notify(changes)

    @property
    def _info(self) -> Mapping[Any, Any]:
        return {"shards": self.db.fence.shards, "unreadable": self.db.unreadable}

    def _woken(self, wakes: Mapping[Hashable, Any]) -> None:
        """Tell listeners what functions have changed."""
        changes = Changes()
        changes.add(wakes)
        self._notify(changes)

    def _notify(self, changes: Changes) -> None:
        if changes:
            for listener in self._listeners:
                listener(changes)
