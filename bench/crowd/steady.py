"""Jobs' whole lives: at a steady rate, and as many as the pipeline takes."""

import asyncio
from dataclasses import dataclass
from time import monotonic

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

    `processor` and `database` are the seconds of processor of the bot, and of its database's server.
    """

    jobs: int
    posted: int
    seconds: float
    processor: float
    database: float
    counts: Counts

    def each(self, number: float) -> float:
        """Return a number for each job that was posted."""
        return number / max(1, self.posted)


async def at_a_steady_rate(worlds: CrowdWorlds, rate: float, seconds: float, patience: float) -> Lives:
    """Let people use commands at that rate, every fifth with a photo, and wait for the results."""
    idle = await _idle(worlds)
    jobs, began = int(rate * seconds), monotonic()
    before, counts, database = worlds.bot.processor(), worlds.bot.counts(), worlds.database_processor()
    for number in range(jobs):
        await asyncio.sleep(max(0.0, began + number / rate - monotonic()))
        ask(worlds, 1, number, photo=number % EVERY == EVERY - 1)
    await until(lambda: worlds.posted() >= jobs, patience, LOOKS)
    took = monotonic() - began
    used = worlds.bot.processor() - before - idle * took
    served = worlds.database_processor() - database
    return Lives(jobs, worlds.posted(), took, used, served, worlds.bot.counts().since(counts))


async def as_fast_as_possible(worlds: CrowdWorlds, jobs: int, patience: float) -> Lives:
    """Let some people ask for that number of jobs in all, and wait for the results. Who is refused asks
    again."""
    before, counts, began = worlds.bot.processor(), worlds.bot.counts(), monotonic()
    database = worlds.database_processor()
    numbers = iter(range(jobs))

    async def ask_on() -> None:
        for number in numbers:
            accepted = False
            while not accepted and monotonic() < began + patience:
                asked = ask(worlds, 1, number)
                await until(lambda asked=asked: asked[0].over, patience)
                accepted = answer_of(asked[0]).accepted

    await asyncio.gather(*(ask_on() for _ in range(AT_ONCE)))
    await until(lambda: worlds.posted() >= jobs, began + patience - monotonic(), LOOKS)
    took, used = monotonic() - began, worlds.bot.processor() - before
    served = worlds.database_processor() - database
    return Lives(jobs, worlds.posted(), took, used, served, worlds.bot.counts().since(counts))


async def _idle(worlds: CrowdWorlds) -> float:
    """Return the seconds of processor that the bot takes in a second in which nothing is to do."""
    before = worlds.bot.processor()
    await asyncio.sleep(IDLE)
    return (worlds.bot.processor() - before) / IDLE
