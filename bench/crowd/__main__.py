"""`python -m bench.crowd`: many people at the same moment, and a job's whole life.

The bot is a process by itself; Discord and Studii are in this one, over real HTTP and a real gateway. Each
line is a bot of its own, with a new database. A deferral is no answer and counted by itself.
"""

import argparse
import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from statistics import quantiles

from rich.console import Console

from bench.crowd.answers import Crowd
from bench.crowd.hogs import hogs
from bench.crowd.process import compile_first
from bench.crowd.scenes import SCENES, ask
from bench.crowd.steady import Lives, as_fast_as_possible, at_a_steady_rate
from bench.crowd.waiting import until
from bench.crowd.worlds import CrowdWorlds, Wanted, worlds

MIB = 1024 * 1024
WITH_RESULTS = ("buttons", "commands-while-results", "taps")
MAX_RESULTS = 25  # in a server
FIRST = 3  # commands before the crowd, so that nothing is done for the first time
WARM_UP = 100_000  # the number of the member who uses them
FLOOR_OF_LIVES = 50  # commands at once, whose floor is shown beside the lives of jobs
SETTLED = 2.0  # seconds
PATIENCE = 30.0  # seconds in which everybody has to be answered
WHOLE = 90.0  # seconds in which every result has to be there
HEAD = "      at once  answered  accepted  refused  deferred   p50 s   p99 s  processor ms  statements   hops"


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the arguments, or end the process with what is wrong with them."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd", description=__doc__)
    parser.add_argument("--sizes", type=_positive, nargs="+", default=[50, 100, 200, 500], metavar="N")
    parser.add_argument("--what", choices=list(SCENES), default="commands", help="what the crowd does")
    parser.add_argument(
        "--servers", type=_positive, help="how many servers they are in (1; 10, 20 for lives)"
    )
    parser.add_argument("--hogs", type=_positive, default=0, help="processes that burn the cores")
    parser.add_argument(
        "--one-core",
        type=float,
        nargs="?",
        const=1.0,
        metavar="PART",
        help="the bot, and the hogs, have one core alone; the bot a part of it (less than 1 takes root)",
    )
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument(
        "--processes", type=_positive, default=1, help="each serves one shard (--database postgresql)"
    )
    parser.add_argument("--tls", action="store_true", help="Discord speaks TLS, as it does in earnest")
    parser.add_argument(
        "--held", action="store_true", help="Studii takes nothing: accepting alone is counted"
    )
    parser.add_argument(
        "--floor", action="store_true", help="a bare discord.py bot instead, on the same worlds"
    )
    parser.add_argument("--steady", type=_rate, metavar="RATE", help="jobs a second, over their whole lives")
    parser.add_argument("--seconds", type=_rate, default=60.0, help="for how long (--steady)")
    parser.add_argument(
        "--pipeline", type=_positive, nargs="?", const=300, metavar="JOBS", help="all jobs at once"
    )
    read = parser.parse_args(given)
    if read.processes > 1 and read.database != "postgresql":
        parser.error("--processes: several share a database only with --database postgresql")
    return read


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _rate(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 1000.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0.1 to 1,000")
    return number


async def main(given: argparse.Namespace, console: Console) -> None:
    # For the bot's process, as the container and the systemd unit run it: without docstrings.
    optimized = os.environ.setdefault("PYTHONOPTIMIZE", "2")
    await compile_first()
    console.print(
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {given.database},"
        f" PYTHONOPTIMIZE={optimized}"
    )
    if given.steady is not None:
        await _steady(given, console)
    elif given.pipeline is not None:
        await _pipeline(given, console)
    else:
        console.print(f"{given.what}\n{HEAD}")
        for size in given.sizes:
            _print(console, await _crowd(given, size))
            if not given.floor:
                await _print_floor(given, size, console)


async def _steady(given: argparse.Namespace, console: Console) -> None:
    async with _at_work(given, Wanted(given.servers or 10, takes=5.0)) as built:
        await _warm_up(built)
        console.print(f"{given.steady:g} jobs a second for {given.seconds:g} s …")
        lives = await at_a_steady_rate(built, given.steady, given.seconds, WHOLE)
    _print_lives(console, lives)
    await _print_floor(given, FLOOR_OF_LIVES, console)


async def _pipeline(given: argparse.Namespace, console: Console) -> None:
    async with _at_work(given, Wanted(given.servers or 20)) as built:
        await _warm_up(built)
        console.print(f"{given.pipeline} jobs at once …")
        lives = await as_fast_as_possible(built, given.pipeline, WHOLE)
    _print_lives(console, lives)
    console.print(f"{lives.posted / lives.seconds:.1f} jobs a second")
    await _print_floor(given, FLOOR_OF_LIVES, console)


async def _crowd(given: argparse.Namespace, size: int) -> Crowd:
    # Results are a part of these, and a key has 300 requests a minute.
    usual = max(1, size // MAX_RESULTS) if given.what in WITH_RESULTS else 1
    wanted = Wanted(
        given.servers or usual,
        held=given.held,
        automatic=given.what == "photos",
        # A member who taps for the first time is asked first, and starts nothing.
        tappers=size if given.what == "taps" else 0,
        floor=given.floor,
    )
    async with _at_work(given, wanted) as built:
        idle = built.bot.memory()
        await _warm_up(built, results=not (given.held or given.floor))
        memory = built.bot.memory()  # before the scene, for which hundreds of jobs may be made
        act = await SCENES[given.what](built, size, WHOLE)
        load = os.getloadavg()[0]
        used, counts = built.bot.processor(), built.bot.counts()
        answers = await act(PATIENCE)
        return Crowd(
            len(answers),
            answers,
            built.bot.processor() - used,
            built.bot.counts().since(counts),
            load,
            built.bot.ready,
            idle,
            memory,
        )


@asynccontextmanager
async def _at_work(given: argparse.Namespace, wanted: Wanted) -> AsyncGenerator[CrowdWorlds]:
    wanted = replace(
        wanted,
        database=given.database,
        core=given.one_core,
        tls=given.tls,
        processes=given.processes,
    )
    async with worlds(wanted) as built:
        with hogs(given.hogs, None if given.one_core is None else "0"):
            yield built


async def _warm_up(built: CrowdWorlds, *, results: bool = True) -> None:
    asked = ask(built, FIRST, WARM_UP)
    if not await until(lambda: all(one.over for one in asked), PATIENCE):
        raise RuntimeError(built.bot.log()[-2000:])
    if results:
        await until(lambda: built.posted() >= FIRST, PATIENCE)
    await asyncio.sleep(SETTLED)
    built.discord.messages.clear()


async def _print_floor(given: argparse.Namespace, size: int, console: Console) -> None:
    """Say what a bare bot takes for as many commands, so that figures of several machines can be compared."""
    least = {"floor": True, "what": "commands", "servers": 1, "processes": 1, "database": "sqlite"}
    bare = argparse.Namespace(**(vars(given) | least))
    crowd = await _crowd(bare, size)
    console.print(
        f"              the floor here, a bare bot with {size} commands: p50{_seconds(crowd.share(0.5))} s,"
        f" p99{_seconds(crowd.share(0.99))} s, processor {crowd.each(crowd.processor) * 1000:.1f} ms a"
        f" command; load {crowd.load:.1f}"
    )


def _print(console: Console, crowd: Crowd) -> None:
    refused = crowd.answered - crowd.accepted
    console.print(
        f"{crowd.size:13}{crowd.answered:10}{crowd.accepted:10}{refused:9}{crowd.deferred:10}"
        f"{_seconds(crowd.share(0.5))}{_seconds(crowd.share(0.99))}"
        f"{crowd.each(crowd.processor) * 1000:14.1f}{crowd.each(crowd.counts.statements):12.1f}"
        f"{crowd.each(crowd.counts.hops):7.1f}"
    )
    first, (own, others) = crowd.idle[0] / MIB, (number / MIB for number in crowd.memory)
    console.print(
        f"              load {crowd.load:.1f}; ready after {crowd.ready:.1f} s; idle {first:.1f} MiB,"
        f" after {FIRST} commands {own:.1f}, decoders {others:.0f}"
    )
    if crowd.untold:
        console.print(f"              {crowd.untold} × without a word")
    for words, number in crowd.refusals.most_common():
        console.print(f"              {number} × {words[:150]}", markup=False)


def _print_lives(console: Console, lives: Lives) -> None:
    console.print(
        f"{lives.posted} of {lives.jobs} jobs posted after {lives.seconds:.0f} s; a job:"
        f" {lives.each(lives.processor) * 1000:.0f} ms of processor,"
        f" {lives.each(lives.database) * 1000:.0f} ms of the database's server,"
        f" {lives.each(lives.around) * 1000:.0f} ms of the worlds around it,"
        f" {lives.each(lives.counts.statements):.1f} statements,"
        f" {lives.each(lives.counts.commits):.1f} commits, {lives.each(lives.counts.hops):.0f} hops"
    )
    if len(lives.waits) > 1:
        percent = quantiles(lives.waits, n=100, method="inclusive")
        told = f"p50 {percent[49]:.2f} s, p99 {percent[98]:.2f} s"
        console.print(f"from Studii's answer that a job is completed to its result in the channel: {told}")


def _seconds(number: float | None) -> str:
    return "       –" if number is None else f"{number:8.3f}"


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(main(arguments(), Console(soft_wrap=True, highlight=False)))
