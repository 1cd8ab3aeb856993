"""Measure what a busy day's jobs leave in memory after the whole pipeline.

The bot has a process of its own; Studii and Discord, which remember everything, are in another.
"""

import asyncio
import gc
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.machine.apart import apart
from bench.machine.memory import resident
from bench.machine.work import at_work, discord_of, studio_job
from sandbox.studii import Options, StudiiServer

JOBS = 2000  # a day of a bot in fifty servers, forty jobs in each
WARM_UP = 500  # jobs after which caches and pools have their size
SERVERS = 50
AT_ONCE = 100
BENCH_TIMEOUT = 1200.0  # seconds


@dataclass(frozen=True)
class State:
    """The memory of a process. `objects` counts those of the garbage collector by type, and `blocks` the
    pieces of memory that Python has allocated. `resident` is in bytes, or None if the system doesn't tell."""

    objects: Counter[str]
    blocks: int
    resident: int | None


@dataclass(frozen=True)
class Day:
    """The remains of `jobs` jobs, which ran after `warm_up` others."""

    jobs: int
    warm_up: int
    before: State
    after: State

    @property
    def objects(self) -> int:
        """The growth of the number of objects."""
        return self.after.objects.total() - self.before.objects.total()

    @property
    def blocks(self) -> int:
        """The growth of the number of blocks."""
        return self.after.blocks - self.before.blocks

    @property
    def resident(self) -> int | None:
        """The growth of resident memory in bytes, or None if the system doesn't tell."""
        if self.after.resident is None or self.before.resident is None:
            return None
        return self.after.resident - self.before.resident

    def a_job(self, number: int) -> str:
        """Return a number divided by the number of jobs, with its sign."""
        return f"{number / self.jobs:+.2f}"

    def grown(self, most: int = 5) -> list[tuple[str, int]]:
        """Return the types whose objects grew most in number, with the growth."""
        return (self.after.objects - self.before.objects).most_common(most)


async def day(folder: Path, jobs: int = JOBS, warm_up: int = WARM_UP) -> Day:
    """Do the jobs and compare."""
    async with StudiiServer(Options(instant=True, long_side=64)) as studii, discord_of(SERVERS) as discord:
        keys = [studii.add_key("team", balance=10_000_000).secret for _ in range(SERVERS)]
        before, after = await apart(_measure, folder, studii.url, discord.api, keys, jobs, warm_up)
    return Day(jobs, warm_up, before, after)


async def _measure(
    folder: Path, studii: str, rest: str, keys: list[str], jobs: int, warm_up: int
) -> tuple[State, State]:
    free = asyncio.Semaphore(AT_ONCE)
    async with at_work(folder, studii, rest, keys, posted=lambda _: free.release()) as bot:

        async def do(count: int) -> State:
            async with asyncio.timeout(BENCH_TIMEOUT):
                for number in range(count):
                    await free.acquire()
                    await bot.accept([studio_job(1 + number % SERVERS, number)])
                for _ in range(AT_ONCE):  # all are over
                    await free.acquire()
            for _ in range(AT_ONCE):
                free.release()
            await asyncio.sleep(1)  # the last answers are edited
            return _state()

        return await do(warm_up), await do(jobs)


def _state() -> State:
    gc.collect()
    objects = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in gc.get_objects())
    return State(objects, sys.getallocatedblocks(), resident())
