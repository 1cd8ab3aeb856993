"""Engines that have work and stand still, each for a reason of its own, in processes that are watched."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bot.errors import DatabaseAway
from bot.jobs.models import Job, JobState
from bot.monitoring import watchdog
from bot.studii import JobReport
from sandbox.studii import Outcome
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.clock import FakeClock


async def hang_in_a_photo(world: EngineWorld) -> Job:
    """A job whose photo never comes, once it is waited for."""
    hanging = asyncio.Event()

    async def fetch(*_: Any) -> None:
        hanging.set()
        await asyncio.Event().wait()

    world.album.fetch = fetch  # type: ignore[method-assign]
    job = await world.accept(a_staging_job())
    await hanging.wait()
    return job


async def fail_at_every_look(world: EngineWorld) -> None:
    """A job of which every look fails for a reason that nobody foresaw."""

    async def job_status(*_: Any) -> JobReport:
        raise RuntimeError("nobody foresaw this")

    world.client.job_status = job_status  # type: ignore[method-assign]
    await world.use_key(world.studii.add_key())
    job = await world.accept(a_job())
    await world.reaches(job.id, JobState.RUNNING)


async def fail_at_every_write(world: EngineWorld) -> None:
    """A job that goes on, and nothing can be written any more."""
    await world.use_key(world.studii.add_key())
    world.studii.next_job(Outcome(duration=1000.0))
    job = await world.accept(a_job())
    await world.reaches(job.id, JobState.RUNNING)

    def write(*_: Any, **__: Any) -> Any:
        raise DatabaseAway

    world.db.write_together = write  # type: ignore[method-assign]


Trouble = Callable[[EngineWorld], Awaitable[object]]
# What goes wrong, how many seconds pass at a time, and what is said of it.
TROUBLES: Sequence[tuple[Trouble, float, str]] = (
    (hang_in_a_photo, 60.0, "has lasted "),
    (fail_at_every_look, 10.0, "everything has failed"),
    (fail_at_every_write, 10.0, "everything has failed"),
)


def main(arguments: Sequence[str]) -> int:
    """Run into each trouble in a process of its own, which logs into the folder; say how each ends."""
    folder = Path(arguments[0])
    running: dict[str, int] = {}
    for trouble, pace, _ in TROUBLES:
        name = trouble.__name__
        (folder / name).mkdir()
        running[name] = os.fork()
        if not running[name]:
            os.dup2(os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT), 2)
            asyncio.run(_stand_still(folder / name, trouble, pace))
    for name, process in running.items():
        sys.stdout.write(f"{name} {os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
    return 0


async def _stand_still(folder: Path, trouble: Trouble, pace: float) -> None:
    clock = FakeClock()
    async with engine_world(folder, clock=clock, reread_every=0.06) as world:
        engine = world.engine()
        async with watchdog(engine.stuck, beat=0.01), world.running(engine):
            await trouble(world)
            while True:
                clock.advance(pace)
                await asyncio.sleep(0.02)
