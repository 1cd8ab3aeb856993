"""A worker works through what the database names: each job once, a bounded number at once."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from itertools import cycle

import pytest

from bot.aio import retry
from bot.aio.liveness import Liveness
from bot.aio.worker import KeyedWorker, WorkerSetting
from bot.clock import Clock, SystemClock
from tests.support.clock import FakeClock
from tests.support.patience import PATIENCE

NEVER = 10 * PATIENCE  # seconds: a test has failed by then


@dataclass(frozen=True)
class Job:
    id: int
    channel_id: int
    version: int = 1


class Desk:
    """Jobs to do, and what was done."""

    def __init__(
        self,
        count: int,
        *,
        size: int = 4,
        channels: int = 100,
        reread_every: float = 0.05,
        clock: Clock | None = None,
        pauses: Mapping[int, float] | None = None,  # by version
    ) -> None:
        self.unwanted: set[int] = set()  # versions
        self.open = {n: Job(n, n % channels) for n in range(count)}
        self.done: list[int] = []
        self.given_up: list[int] = []
        self.at_once = self.most_at_once = 0
        self.slow_read = 0.0
        self.durations = cycle((0.002, 0.005, 0.009, 0.012))
        self.liveness = Liveness(SystemClock())
        self.worker = KeyedWorker[Job](
            "testing",
            self.find,
            self.work,
            self.give_up,
            key=lambda job: job.id,
            noun="job",
            size=size,
            setting=WorkerSetting(clock or SystemClock(), self.liveness, reread_every, drain=0.0),
            wants=lambda job: job.version not in self.unwanted,
            news=lambda job: job.version,
            queue=lambda job: job.channel_id,
            pause=lambda job, waited: self.pause(job, waited),
        )
        self.pauses = pauses or {}

    async def find(self, limit: int) -> list[Job]:
        seen = list(self.open.values())[:limit]
        await asyncio.sleep(self.slow_read)
        return seen

    async def work(self, job: Job, tries: int) -> float | None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(next(self.durations))
        self.at_once -= 1
        self.done.append(job.id)
        self.open.pop(job.id, None)
        return None

    def pause(self, job: Job, waited: float) -> float | None:
        rest = self.pauses.get(job.version, 0.0) - waited
        return rest if rest > 0 else None

    async def give_up(self, job: Job) -> None:
        self.given_up.append(job.id)
        self.open.pop(job.id, None)

    @asynccontextmanager
    async def at_work(self) -> AsyncGenerator[None, None]:
        task = asyncio.create_task(self.worker.run())
        try:
            async with asyncio.timeout(PATIENCE):
                yield
        finally:
            task.cancel()
            await asyncio.wait({task})

    async def finish(self) -> None:
        async with self.at_work():
            await self.empty()

    async def empty(self) -> None:
        while self.open:  # noqa: ASYNC110 - it is emptied by others
            await asyncio.sleep(0.005)


async def test_each_job_is_done_once_though_the_look_at_the_database_is_slow() -> None:
    desk = Desk(30)
    desk.slow_read = 0.008
    jobs = list(desk.open)
    async with desk.at_work():
        await desk.empty()
        await asyncio.sleep(0.1)
    assert sorted(desk.done) == sorted(jobs)


async def test_work_that_does_nothing_but_fail_is_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_RETRY_SECONDS", 0.001)

    class Failing(Desk):
        fails = True

        async def work(self, job: Job, tries: int) -> float | None:
            if self.fails:
                raise RuntimeError("nobody foresaw this")
            return await super().work(job, tries)

    desk = Failing(1)
    async with desk.at_work():
        while not desk.liveness.failing_for():  # noqa: ASYNC110 - from the second failure on
            await asyncio.sleep(0.001)
        desk.fails = False
        await desk.empty()
    assert desk.liveness.failing_for() == 0.0


async def test_no_more_are_done_at_once_than_the_worker_is_large() -> None:
    desk = Desk(30, size=3)
    await desk.finish()
    assert desk.most_at_once == 3


async def test_jobs_of_one_queue_are_done_one_after_the_other() -> None:
    desk = Desk(8, channels=1)
    jobs = list(desk.open)
    await desk.finish()
    assert desk.done == jobs
    assert desk.most_at_once == 1


async def test_a_retry_that_falls_due_while_the_worker_rests_does_not_wait_for_the_next_read() -> None:
    clock = FakeClock()

    class Refused(Desk):
        looks = tries = 0

        async def find(self, limit: int) -> list[Job]:
            self.looks += 1
            if self.looks == 2:  # the retry falls due in the rest after it, and nothing wakes the worker
                asyncio.get_running_loop().call_soon(clock.advance, 20.0)
            return list(self.open.values())

        async def work(self, job: Job, tries: int) -> float | None:
            self.tries += 1
            if self.tries > 1:
                return await super().work(job, tries)
            self.worker.reread()
            return 10.0

    desk = Refused(1, reread_every=NEVER, clock=clock)
    await desk.finish()
    assert (desk.looks, desk.tries) == (2, 2)


async def test_a_job_with_news_is_not_left_alone_until_its_retry_is_due() -> None:
    class Changing(Desk):
        async def work(self, job: Job, tries: int) -> float | None:
            if tries:
                return await super().work(job, tries)
            self.open[job.id] = replace(job, version=job.version + 1)
            self.worker.notify(self.open[job.id])
            return NEVER

    desk = Changing(1, reread_every=NEVER)
    await desk.finish()
    assert len(desk.done) == 1


async def test_news_are_not_lost_to_a_look_that_finds_the_item_as_it_was() -> None:
    """Of a set the database names the first job that ended; what was told was of the last one."""

    class Told(Desk):
        async def work(self, job: Job, tries: int) -> float | None:
            if tries:
                return await super().work(job, tries)
            self.worker.notify(replace(job, version=job.version + 1))
            self.worker.reread()
            return NEVER

    desk = Told(1, reread_every=NEVER)
    await desk.finish()
    assert desk.done == [0]


async def test_a_job_is_left_alone_for_its_pause_and_done_after_it() -> None:
    desk = Desk(2, reread_every=NEVER, pauses={1: 0.3})
    async with desk.at_work():
        await asyncio.sleep(0.1)
        assert not desk.done
        await desk.empty()
    assert sorted(desk.done) == [0, 1]


async def test_news_end_the_pause_of_a_job() -> None:
    desk = Desk(1, reread_every=NEVER, pauses={1: NEVER})
    async with desk.at_work():
        await asyncio.sleep(0.1)
        assert not desk.done
        desk.worker.notify(replace(desk.open[0], version=2))
        await desk.empty()
    assert desk.done == [0]


async def test_a_job_that_is_told_is_done_without_a_look_at_the_database() -> None:
    class Counting(Desk):
        looks = 0

        async def find(self, limit: int) -> list[Job]:
            self.looks += 1
            return await super().find(limit)

    desk = Counting(1, reread_every=NEVER)
    async with desk.at_work():
        await desk.empty()
        await asyncio.sleep(0.1)  # until the worker sleeps
        desk.open = {n: Job(n, n) for n in range(10, 30)}
        for job in desk.open.values():
            desk.worker.notify(job)
        await desk.empty()
    assert sorted(desk.done) == [0, *range(10, 30)]
    assert desk.looks == 1


async def test_a_lost_wake_up_is_found_at_the_next_read() -> None:
    desk = Desk(1, reread_every=0.1)
    async with desk.at_work():
        await desk.empty()
        desk.open = {7: Job(7, 7)}  # nobody tells of it
        await desk.empty()
    assert desk.done == [0, 7]


async def test_a_look_that_failed_is_made_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "FIRST_RETRY_SECONDS", 0.01)
    desk = Desk(3, reread_every=NEVER)
    find, failures = desk.worker.find, [RuntimeError("the disk is away")]

    async def fail_once(limit: int) -> list[Job]:
        if failures:
            raise failures.pop()
        return await find(limit)

    desk.worker.find = fail_once
    await desk.finish()
    assert sorted(desk.done) == [0, 1, 2]


async def test_more_jobs_than_fit_into_memory_are_all_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.aio.worker.MAX_KNOWN_ITEMS", 10)
    desk = Desk(0, reread_every=NEVER)
    async with desk.at_work():
        desk.open = {n: Job(n, n) for n in range(60)}
        for job in list(desk.open.values()):
            desk.worker.notify(job)
        await desk.empty()
        await asyncio.sleep(0.05)
    assert sorted(desk.done) == list(range(60))


async def test_jobs_that_wait_for_a_retry_leave_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refused(Desk):
        async def work(self, job: Job, tries: int) -> float | None:
            return NEVER if job.id < 12 else await super().work(job, tries)

    monkeypatch.setattr("bot.aio.worker.MAX_KNOWN_ITEMS", 10)
    desk = Refused(40, reread_every=NEVER)
    async with desk.at_work():
        while len(desk.open) > 12:  # noqa: ASYNC110 - it is emptied by others
            await asyncio.sleep(0.005)
        desk.open[50] = Job(50, 50)
        desk.worker.notify(desk.open[50])
        while 50 in desk.open:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.005)
    assert sorted(desk.done) == [*range(12, 40), 50]


async def test_a_job_that_changes_while_it_is_worked_on_is_worked_on_again() -> None:
    class Changing(Desk):
        versions: list[int]

        async def work(self, job: Job, tries: int) -> float | None:
            self.versions.append(job.version)
            if job.version == 1:
                self.worker.notify(replace(job, version=2))
                return None
            return await super().work(job, tries)

    desk = Changing(1, reread_every=NEVER)
    desk.versions = []
    await desk.finish()
    assert desk.versions == [1, 2]


async def test_a_job_that_is_wanted_no_longer_is_not_done() -> None:
    desk = Desk(0, size=1, reread_every=NEVER)
    desk.unwanted = {2}
    desk.durations = cycle((0.05,))
    async with desk.at_work():
        desk.open = {n: Job(n, n) for n in range(2)}
        for job in list(desk.open.values()):
            desk.worker.notify(job)
        desk.worker.notify(replace(desk.open.pop(1), version=2))
        await desk.empty()
        await asyncio.sleep(0.05)
    assert desk.done == [0]


async def test_while_the_database_is_read_what_is_told_is_not_overwritten() -> None:
    class Slow(Desk):
        async def find(self, limit: int) -> list[Job]:
            seen = await super().find(limit)
            for job in seen:  # as they are after the query
                self.worker.notify(replace(job, version=2))
            return seen

        async def work(self, job: Job, tries: int) -> float | None:
            assert job.version == 2
            return await super().work(job, tries)

    desk = Slow(5, reread_every=NEVER)
    await desk.finish()
    assert sorted(desk.done) == list(range(5))
    assert not desk.given_up
