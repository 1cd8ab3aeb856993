"""Jobs' whole lives: at a steady rate, and as many as the pipeline takes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic, process_time

from bench.crowd.counts import Counts
from bench.crowd.scenes import answer_of, ask
from bench.crowd.waiting import until
from bench.crowd.worlds import CrowdWorlds

IDLE = 5.0  # seconds whose cost is taken off
EVERY = 5  # how many jobs there are to one with a photo
AT_ONCE = 30  # people
LOOKS = 0.05  # seconds


@dataclass(frozen=True)
class Lives:
    """What `jobs` jobs took, of which `posted` had their last word after `seconds`.

    `processor`, `database` and `around` are the seconds of processor of the bot, of its database's server,
    and of the process in which Discord, Studii and the people are.
    """

    jobs: int
    posted: int
    seconds: float
    processor: float
    database: float
    around: float
    counts: Counts
    waits: Sequence[float]

    def each(self, number: float) -> float:
        """Return a number for each job that was posted."""
        return number / max(1, self.posted)


class _Meter:
    """Measures from now on what lives of jobs take."""

    def __init__(self, worlds: CrowdWorlds) -> None:
        self._worlds = worlds
        self._counts = worlds.bot.counts()
        self._before = self._used()
        self.began = monotonic()

    async def lives(self, jobs: int, idle: float = 0.0) -> Lives:
        """Return what they took. `idle`: seconds of processor that the bot takes in a second without jobs."""
        took, counts = monotonic() - self.began, self._worlds.bot.counts().since(self._counts)
        bot, database, around = (now - then for now, then in zip(self._used(), self._before, strict=True))
        posted, waits = self._worlds.posted(), await self._worlds.waits_for_results()
        return Lives(jobs, posted, took, bot - idle * took, database, around, counts, waits)

    def _used(self) -> tuple[float, float, float]:
        return self._worlds.bot.processor(), self._worlds.database_processor(), process_time()


async def at_a_steady_rate(worlds: CrowdWorlds, rate: float, seconds: float, patience: float) -> Lives:
    """Let people use commands at that rate, every fifth with a photo, and wait for the results."""
    idle = await _idle(worlds)
    jobs, meter = int(rate * seconds), _Meter(worlds)
    for number in range(jobs):
        await asyncio.sleep(max(0.0, meter.began + number / rate - monotonic()))
        ask(worlds, 1, number, photo=number % EVERY == EVERY - 1)
    await until(lambda: worlds.posted() >= jobs, patience, LOOKS)
    return await meter.lives(jobs, idle)


async def as_fast_as_possible(worlds: CrowdWorlds, jobs: int, patience: float) -> Lives:
    """Let some people ask for that number of jobs in all, and wait for the results. Who is refused asks
    again."""
    meter = _Meter(worlds)
    end, numbers = meter.began + patience, iter(range(jobs))

    async def ask_on() -> None:
        for number in numbers:
            accepted = False
            while not accepted and monotonic() < end:
                asked = ask(worlds, 1, number)
                await until(lambda asked=asked: asked[0].over, patience)
                accepted = answer_of(asked[0]).accepted

    await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
    await until(lambda: worlds.posted() >= jobs, end - monotonic(), LOOKS)
    return await meter.lives(jobs)


async def _idle(worlds: CrowdWorlds) -> float:
    """Return the seconds of processor that the bot takes in a second in which nothing is to do."""
    before = worlds.bot.processor()
    await asyncio.sleep(IDLE)
    return (worlds.bot.processor() - before) / IDLE
