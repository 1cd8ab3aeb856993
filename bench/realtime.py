"""`make bench`, the part in real time: measures the bot on this machine."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from bench.crowd.answers import share_of
from bench.machine.day import day
from bench.machine.interactions import first_answers
from bench.machine.memory import MIB, measure
from bench.machine.photos import huge_photos
from bench.machine.pipeline import pipeline
from bench.machine.process import start
from bench.machine.reactions import Reactions, stars_and_mentions, unrelated
from bench.machine.restart import restart
from bot.client.bot import quiet_discord_loggers

Row = tuple[str, str]
WIDTH = 75  # characters of what is measured


async def interactions(folder: Path) -> list[Row]:
    answers = await first_answers(folder)
    middle, slowest = share_of(answers, 0.5), share_of(answers, 0.99)
    return [
        (f"{len(answers)} commands at once: first answer, p50 / p99", f"{middle:.2f} s / {slowest:.2f} s")
    ]


async def throughput(folder: Path) -> list[Row]:
    run = await pipeline(folder)
    middle, slow = share_of(run.posted, 0.5), share_of(run.posted, 0.95)
    return [
        (f"{run.jobs} jobs through the whole pipeline", f"{run.jobs / run.seconds:.0f} jobs a second"),
        ("job seen as finished to posted, all at once: p50 / p95", f"{middle:.2f} s / {slow:.2f} s"),
    ]


async def one_job(folder: Path) -> list[Row]:
    run = await pipeline(folder, 1)
    return [("job seen as finished to posted, alone", f"{run.posted[0]:.2f} s")]


async def much_to_do(folder: Path) -> list[Row]:
    run = await restart(folder)
    return [
        (
            f"start with {run.jobs:,} unfinished jobs on {run.lanes} keys: first poll",
            f"{run.until_first:.1f} s",
        ),
        ("… every key's first poll", f"{run.until_polling:.1f} s"),
        ("… most polls with one key within a second", str(run.most_in_burst)),
    ]


async def alone(folder: Path) -> list[Row]:
    run = await start(folder)
    resident = "?" if run.resident is None else f"{run.resident / MIB:.0f} MiB"
    return [("process start to connected", f"{run.ready:.1f} s"), ("memory while idle", resident)]


async def large_output(folder: Path) -> list[Row]:
    run = await measure(folder)
    return [(f"memory that a {run.size // MIB} MiB result adds", f"{run.added / MIB:.1f} MiB")]


async def photos(folder: Path) -> list[Row]:
    run = await huge_photos(folder)
    what = f"memory that {run.number} HEIC photos of {run.megapixels} megapixels add, all at once"
    return [(what, f"{run.added / MIB:,.0f} MiB"), ("… all converted after", f"{run.seconds:.0f} s")]


async def what_is_left(folder: Path) -> list[Row]:
    run = await day(folder)
    added = "?" if run.resident is None else f"{run.resident / MIB:.1f} MiB"
    grown = ", ".join(f"{count} {name}" for name, count in run.grown(3)) or "none"
    return [
        (f"memory that {run.jobs:,} jobs leave behind, after {run.warm_up} others", added),
        ("… Python objects / pieces of memory, a job", f"{run.a_job(run.objects)} / {run.a_job(run.blocks)}"),
        ("… most of them", grown),
    ]


async def reactions(folder: Path) -> list[Row]:
    return _costs("unrelated reactions", await unrelated(folder))


async def stars(folder: Path) -> list[Row]:
    return _costs("unrelated stars and mentions", await stars_and_mentions(folder))


def _costs(what: str, run: Reactions) -> list[Row]:
    return [
        (
            f"{run.number:,} {what}: each, the simulated Discord's part with it",
            f"{run.seconds / run.number * 1e6:,.0f} µs",
        ),
        ("… requests / queries that they caused", f"{run.requests} / {run.queries}"),
    ]


PARTS: Sequence[Callable[[Path], Awaitable[list[Row]]]] = (
    alone,
    interactions,
    one_job,
    throughput,
    much_to_do,
    large_output,
    what_is_left,
    photos,
    reactions,
    stars,
)


async def main(console: Console) -> None:
    """Print each figure as soon as it is measured: all of them take minutes."""
    console.print("The whole way, in real time")
    for part in PARTS:
        with TemporaryDirectory(prefix="studii-bench-") as folder:
            for what, figure in await part(Path(folder)):
                console.print(f"  {what:<{WIDTH}}  {figure}")


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    quiet_discord_loggers()
    asyncio.run(main(Console(soft_wrap=True, highlight=False)))
