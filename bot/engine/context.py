"""What the parts of the engine share: what they need of the outside, and how they work on what is due."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

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
from bot.clock import Clock
from bot.cluster import Membership
from bot.db import Database
from bot.engine.tuning import Tuning
from bot.errors import Outage
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

    def find(self, post: Post, /) -> Awaitable[Outcome]:
        """Look for the message of a post that may have been sent without our knowing.

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


UNEXPECTED_TRIES = 8  # some two minutes
LOOK_AGAIN = 15.0  # seconds; nothing reports the end of what something due waits for
# Returns the jobs that are due, also those at work, and when the next one is; at most a number. The first of
# each server comes before the second of any, and members of a server alternate.
Due = Callable[[datetime, int], Awaitable[tuple[list[Job], datetime | None]]]


class DueJobs:
    """Works on jobs that are due, several at once. Servers and their members take turns.

    A server alone gets half of the workers, a second one half of the rest, and so on: a new server nearly
    always finds one that is free. A member gets half of what the server has left, for the same reason.

    `work` changes the job so that it is not due any more, or returns in how many seconds to try it again; 0.0
    if the row says that. One that meets unexpected errors again and again is left to `give_up`. It is found
    again after a restart: work that is under way ends at once when this is cancelled.
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
        self._context, self.what, self._size = context, what, size
        self._due, self._work, self._give_up = due, work, give_up
        self._busy: dict[str, Job] = {}
        self._waits = False  # whether some that are due wait for others to end
        self._wake_up = WakeUp()
        self._errors = ErrorLog(what, noun="job")

    async def run(self) -> None:
        """Run until cancelled."""
        async with DrainingGroup(lambda: self._context.tuning.drain) as group:
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
            # Those at work, of as many servers as there are workers, hide none that may begin.
            found, next_due = await self._due(clock.now(), 3 * self._size)
        for job in found:
            if job.id in self._busy:
                continue
            if not self._may_begin(job):
                self._waits = True
                continue
            self._busy[job.id] = job
            group.create_task(self._do(job), name=f"{self.what} {job.id}", at_once=True)
        self._waits |= len(found) >= 3 * self._size
        await rest_after(clock.monotonic() - began, longest)
        if next_due is None:
            return longest
        rest = (next_due - clock.now()).total_seconds()
        return min(longest, rest if rest > 0 else LOOK_AGAIN)

    def _may_begin(self, job: Job) -> bool:
        free = self._size - len(self._busy)
        members = [one.user_id for one in self._busy.values() if one.guild_id == job.guild_id]
        left = max(1, free) - len(members)  # for the server
        return free > 0 and left > 0 and members.count(job.user_id) < max(1, left // 2)

    async def _do(self, job: Job) -> None:
        wakes = True
        try:
            with self._context.liveness.operation(f"{self.what} (job {job.id})", TRANSFER_TIMEOUT) as ending:
                try:
                    again = await (self._give_up if job.tries >= UNEXPECTED_TRIES else self._work)(job)
                    self._errors.succeeded(job.id)
                except Exception as error:  # noqa: BLE001 - logged; the others must not notice
                    ending.failed, again = True, self._errors.failed(error, job.id)
                    if isinstance(error, Outage):  # which says nothing against the job, and stores nothing
                        await asyncio.sleep(again)
                        return
            wakes = again is not None or self._waits
            if again:
                await self._later(job, again)
        finally:
            del self._busy[job.id]
            if wakes:
                self._wake_up.set()

    async def _later(self, job: Job, seconds: float) -> None:
        until = self._context.clock.now() + timedelta(seconds=seconds)
        try:
            await shielded(self._context.db.write(transitions.later, job.id, until))
        except Outage as error:  # it stays due, as its row says, and others must not notice
            await asyncio.sleep(self._errors.failed(error, job.id))
