"""What the parts of the engine share: what they need of the outside, and how they work on what is due."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from bot.aio.tasks import (
    TRANSFER_TIMEOUT,
    DrainingGroup,
    ErrorLog,
    Liveness,
    WakeUp,
    rest_after,
    run_forever,
    shielded,
)
from bot.backoff import backoff
from bot.clock import Clock
from bot.cluster import Membership
from bot.db import Database
from bot.engine.tuning import Tuning
from bot.errors import DatabaseFailed
from bot.jobs import transitions
from bot.jobs.models import Job
from bot.media.spool import Spool
from bot.posts import Outcome, Post
from bot.studii import StudiiClient
from bot.vault import Vault


class PhotoSource(Protocol):
    """A source of the bytes of source photos."""

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        """Write the photo of `job.source` to `destination`, at most `limit` bytes of it.

        Raises `bot.errors.PhotoUnavailable`.
        """


class Delivery(Protocol):
    """Informs people about their jobs. No method raises an error of the platform."""

    def send(self, post: Post, shown: Any, /) -> Awaitable[Outcome]:
        """Send a post's message, made of what its kind has loaded; doing it twice sends it once."""
        ...

    def edit(self, post: Post, shown: Any, /) -> Awaitable[Outcome]:
        """Let the post's message show what is so now."""
        ...

    def delete(self, post: Post, /) -> Awaitable[Outcome]:
        """Delete the post's message."""
        ...

    def find(self, post: Post, begun: datetime | None, /) -> Awaitable[Outcome]:
        """Look for the message of a post that may have been sent without our knowing, since it was `begun`,
        or (None) by a life that a restored backup doesn't know.

        `Gone`: it isn't there.
        """
        ...


@dataclass(frozen=True, slots=True)
class EngineContext:
    """The stores, clients and settings that the parts of the engine share.

    `member` says whose servers are this process's.

    `Engine` notifies the parts that a transaction's changes concern. `posted` is called with the seconds from
    a job's end until its message was posted.
    """

    db: Database
    member: Membership
    studii: StudiiClient
    vault: Vault
    spool: Spool
    clock: Clock
    tuning: Tuning
    posted: Callable[[float], None]
    liveness: Liveness


UNEXPECTED_TRIES = 8  # some minutes
LOOK_AGAIN = 15.0  # seconds; nothing reports the end of what something due waits for
_T = TypeVar("_T")


class Worker(Generic[_T]):
    """Does what is due, at most `size` things at once. It is found again after a kill, as its rows say so.

    `find` returns what is due and may begin, by the name under which it is busy then, and when the next one
    is due. `work` changes its row so that it is not due any more, or is later. What it raises is logged. If
    `ends_at_once`, work that is under way is cancelled with this, and else awaited. While what is due can't
    begin, or is at work, it is looked for what else is due every `look_again` seconds.
    """

    def __init__(
        self,
        context: EngineContext,
        what: str,
        find: Callable[[datetime, Mapping[str, _T]], Awaitable[tuple[Mapping[str, _T], datetime | None]]],
        work: Callable[[_T], Awaitable[None]],
        size: int,
        *,
        noun: str,
        ends_at_once: bool = False,
        look_again: float = LOOK_AGAIN,
    ) -> None:
        self._context, self.what, self._noun, self._size = context, what, noun, size
        self._look_again = look_again
        self._find, self._work = find, work
        self._ends_at_once, self._busy = ends_at_once, dict[str, _T]()
        self._wake_up, self._errors = WakeUp(), ErrorLog(what, noun=noun)
        self._waits = False  # whether something that is due waits for the end of what is at work

    async def run(self) -> None:
        """Run until cancelled."""
        async with DrainingGroup(self._context.tuning.drain) as group:
            await run_forever(self.what, self._wake_up, lambda: self._turn(group))

    def wake(self) -> None:
        """Look for what is due now."""
        self._wake_up.set()

    async def _turn(self, group: DrainingGroup) -> float:
        """Begin what is due and may begin. Return in how many seconds to look again."""
        clock, longest = self._context.clock, self._context.tuning.reread_every
        began = clock.monotonic()
        self._waits = len(self._busy) >= self._size
        if self._waits:
            return longest
        with self._context.liveness.operation(self.what, progress=False):
            found, next_due = await self._find(clock.now(), self._busy)
        self._waits |= next_due is not None and next_due <= clock.now()
        for name, one in found.items():
            self._busy[name] = one
            group.create_task(self._do(name, one), name=f"{self.what} {name}", at_once=self._ends_at_once)
        await rest_after(clock.monotonic() - began, longest)
        if next_due is None:
            return longest
        rest = (next_due - clock.now()).total_seconds()
        return min(longest, rest if rest > 0 else self._look_again)

    async def _do(self, name: str, one: _T) -> None:
        try:
            with self._context.liveness.operation(f"{self.what} ({self._noun} {name})", TRANSFER_TIMEOUT):
                await self._work(one)
            self._errors.succeeded(name)
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            self._waits, pause = True, self._errors.failed(error, name)
            if isinstance(error, DatabaseFailed):
                await asyncio.sleep(pause)
        finally:
            del self._busy[name]
            if self._waits:
                self._wake_up.set()


# Returns the jobs that are due, also those at work, and when the next one is; at most a number. The first of
# each server comes before the second of any, and members of a server alternate.
Due = Callable[[datetime, int], Awaitable[tuple[list[Job], datetime | None]]]


class DueJobs(Worker[Job]):
    """Works on jobs that are due. Servers and their members take turns.

    A server alone gets half of the workers, a second one half of the rest, and so on: a new server nearly
    always finds one that is free. A member gets half of what the server has left, for the same reason.

    `work` changes the job so that it is not due any more, or returns in how many seconds to try it again. One
    that meets unexpected errors again and again is left to `give_up`. An outage says nothing against it.
    """

    def __init__(
        self,
        context: EngineContext,
        what: str,
        due: Due,
        work: Callable[[Job], Awaitable[float | None]],
        give_up: Callable[[Job], Awaitable[None]],
        size: int,
    ) -> None:
        super().__init__(context, what, self._may_begin, self._try, size, noun="job", ends_at_once=True)
        self._due, self._steps = due, (work, give_up)

    async def _may_begin(
        self, now: datetime, busy: Mapping[str, Job]
    ) -> tuple[Mapping[str, Job], datetime | None]:
        # Those at work, of as many servers as there are workers, hide none that may begin. What ends while it
        # is read is still due in what was read.
        before = dict(busy)
        found, next_due = await self._due(now, 3 * self._size)
        begun = {**before, **busy}
        for job in found:
            members = [one.user_id for one in begun.values() if one.guild_id == job.guild_id]
            free = self._size - len(begun)
            left = max(1, free) - len(members)  # for the server
            if free > 0 and left > 0 and members.count(job.user_id) < max(1, left // 2):
                begun.setdefault(job.id, job)
        self._waits |= any(job.id not in begun for job in found) or len(found) >= 3 * self._size
        return {name: job for name, job in begun.items() if name not in before}, next_due

    async def _try(self, job: Job) -> None:
        work, give_up = self._steps
        try:
            again = await (give_up if job.tries >= UNEXPECTED_TRIES else work)(job)
        except DatabaseFailed:
            raise
        except Exception:
            tuning = self._context.tuning
            await self._later(job, backoff(job.tries + 1, tuning.backoff, tuning.backoff_bound))
            raise
        if again is not None:
            await self._later(job, again)

    async def _later(self, job: Job, seconds: float) -> None:
        until = self._context.clock.now() + timedelta(seconds=seconds)
        await shielded(self._context.db.write(transitions.later, job.id, until))
