"""Measure jobs through the whole pipeline in real time, with an instant Studii and Discord."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bench.machine.work import at_work, discord_of, studio_job
from sandbox.studii import Options, StudiiServer

SERVERS = 20
BENCH_TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class Pipeline:
    """`posted`: seconds from noticing a job's end to its message in Discord, for each job."""

    jobs: int
    seconds: float
    posted: tuple[float, ...]


async def pipeline(folder: Path, count: int = 300) -> Pipeline:
    """Run `jobs` jobs, all accepted before the start, over some servers with keys of their own."""
    posted: list[float] = []
    all_there = asyncio.Event()

    def post(seconds: float) -> None:
        posted.append(seconds)
        if len(posted) == count:
            all_there.set()

    async with StudiiServer(Options(instant=True, long_side=64)) as studii, discord_of(SERVERS) as discord:
        keys = [studii.add_key("team", balance=1_000_000).secret for _ in range(SERVERS)]
        async with at_work(folder, studii.url, discord.api, keys, posted=post) as bot:
            began = perf_counter()
            await bot.accept([studio_job(1 + number % SERVERS, number) for number in range(count)])
            async with asyncio.timeout(BENCH_TIMEOUT):
                await all_there.wait()
            return Pipeline(count, perf_counter() - began, tuple(posted))
