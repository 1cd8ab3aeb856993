"""Works through jobs that the database names, a bounded number at once, one task a job."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from bot.aio.liveness import OPERATION_TIMEOUT, Liveness
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog
from bot.clock import Clock
from bot.domain import Job
from bot.engine.scheduler.turns import Turns, Who
from bot.errors import Outage

UNEXPECTED_TRIES = 8  # some two minutes
HOLDS_ITS_QUEUE = 3  # tries; a job that still does not come through then no longer holds up those behind it


@dataclass(slots=True)
class _Retry:
    tries: int = 0
    not_before: float = 0.0
    failures: int = 0  # unexpected errors in a row
    seen: Hashable = None  # the job's news at the last try


class KeyedWorker:
    """`find(limit)` names jobs, oldest first; `work(job, tries)` returns None when it is done with one, or in
    how many seconds to try again (`tries`: how often that was said before). A job that meets unexpected
    errors again and again is left to `give_up`.

    Jobs with the same `queue` go one after the other, in order; None: they are independent. A job whose
    `news` have changed since the last try is not left alone until its next one. With `turns`, servers
    and their members share the worker.
    """

    def __init__(
        self,
        what: str,
        find: Callable[[int], Awaitable[list[Job]]],
        work: Callable[[Job, int], Awaitable[float | None]],
        give_up: Callable[[Job], Awaitable[None]],
        *,
        size: int,
        clock: Clock,
        look_around: float,
        liveness: Liveness,
        patience: float = OPERATION_TIMEOUT,
        queue: Callable[[Job], Hashable] | None = None,
        news: Callable[[Job], Hashable] = lambda _: None,
        turns: Turns | None = None,
    ) -> None:
        self.wake_up = WakeUp()
        self.what = what
        self._find = find
        self._work = work
        self._give_up = give_up
        self._size = size
        self._clock = clock
        self._look_around = look_around
        self._queue: Callable[[Job], Hashable] = queue or _by_itself
        self._news = news
        self._turns = turns
        self._busy: set[str] = set()
        self._just_ended: set[str] = set()
        self._retries: dict[str, _Retry] = {}
        self._errors = ErrorLog(what)
        self._liveness = liveness
        self._patience = patience

    async def run(self) -> None:
        """Until cancelled; ends only when all its tasks have."""
        async with asyncio.TaskGroup() as group:
            await run_forever(self.what, self.wake_up, lambda: self._turn(group))

    async def _turn(self, group: asyncio.TaskGroup) -> float:
        # So many that there is something new among them, however many are under way or resting.
        limit = 2 * self._size + len(self._busy) + len(self._retries)
        self._just_ended.clear()
        began = self._clock.monotonic()
        with self._liveness.operation(self.what, progress=False):
            found = await self._find(limit)
        now = self._clock.monotonic()
        held_up: set[Hashable] = set()
        for job in found if self._turns is None else self._turns.in_turn(found, _who):
            queue = self._queue(job)
            retry = self._retries.get(job.id, _Retry())
            resting = retry.not_before > now and retry.seen == self._news(job)
            if job.id in self._just_ended:
                # We may have seen it as it was before; it has rung, so there is another look at once.
                held_up.add(queue)
            elif job.id in self._busy or (resting and retry.tries <= HOLDS_ITS_QUEUE):
                held_up.add(queue)
            elif not resting and queue not in held_up and self._has_place_for(job):
                held_up.add(queue)
                self._busy.add(job.id)
                if self._turns is not None:
                    self._turns.began(_who(job))
                group.create_task(self._do(job, retry), name=f"{self.what} {job.id}")
        if len(found) < limit:
            self._forget_all_but({job.id for job in found})
        await rest_after(now - began, self._look_around)
        # What was due at the look was begun, or is begun when another has ended, which rings. What has fallen
        # due since has been seen by nobody.
        due = [one.not_before for one in self._retries.values() if one.not_before > now]
        wait = min(due, default=now + self._look_around) - self._clock.monotonic()
        return min(max(0.0, wait), self._look_around)

    async def _do(self, job: Job, retry: _Retry) -> None:
        again: float | None
        failures = 0
        try:
            with self._liveness.operation(f"{self.what} {job.id}", self._patience):
                if retry.failures < UNEXPECTED_TRIES:
                    again = await self._work(job, retry.tries)
                else:
                    again = await self._give_up(job)
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            again = self._errors.failed(error, job.id, job=job.id)
            # A database that is away says nothing against the job.
            failures = retry.failures if isinstance(error, Outage) else retry.failures + 1
        else:
            self._errors.succeeded(job.id)
        finally:
            self._busy.discard(job.id)
            if self._turns is not None:
                self._turns.ended(_who(job))
            self._just_ended.add(job.id)
            self.wake_up.set()
        if again is None:
            self._retries.pop(job.id, None)
        else:
            not_before = self._clock.monotonic() + again
            self._retries[job.id] = _Retry(retry.tries + 1, not_before, failures, self._news(job))

    def _has_place_for(self, job: Job) -> bool:
        if len(self._busy) >= self._size:
            return False
        return self._turns is None or self._turns.may_begin(_who(job))

    def _forget_all_but(self, job_ids: set[str]) -> None:
        for job_id in self._retries.keys() - job_ids - self._busy:
            del self._retries[job_id]


def _by_itself(job: Job) -> Hashable:
    return job.id


def _who(job: Job) -> Who:
    return job.guild_id, job.user_id
