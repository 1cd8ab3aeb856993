"""Runs one seed and says what was found."""

import logging
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.simulation import admins, books, people, troubles
from tests.simulation.loop import Clock, Plan, tamed
from tests.simulation.world import QUIET, World


@dataclass
class Result:
    """What a run was like, and the promises that were broken. `seconds` are of the processor."""

    seed: int
    hours: float
    broken: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])
    digest: str = ""
    seconds: float = 0.0


def simulate(seed: int, hours: float, trace: TextIO | None = None, shuffle: float = 0.0) -> Result:
    """Run a seed in a folder of its own."""
    began = time.process_time()
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        clock = Clock(seed, trace)
        with tamed(clock):
            result = _play(clock, hours, Path(folder), shuffle)
    result.seconds = time.process_time() - began
    return result


def _play(clock: Clock, hours: float, folder: Path, shuffle: float) -> Result:
    world = World(clock, hours, folder, shuffle)
    machine, faults = world.machine, world.faults
    machine.unhandled = lambda what: world.breaks(f"unhandled: {what}")
    machine.failed = lambda error: world.breaks(f"a process ended: {type(error).__name__} {error}")
    for actor, which in [*admins.ACTORS, *people.ACTORS]:
        clock.follow(actor(world, which))
    troubles.begin(world)
    clock.follow(_settles(world))
    machine.run(world.ends + QUIET)
    books.compare(world)
    counts = world.counts + Counter({f"fault: {name}": times for name, times in faults.met.items()})
    counts["faults"], counts["kills"] = sum(faults.met.values()), faults.met["kill"]
    counts["asked"], counts["steps"] = len(world.discord.asked), machine.steps
    return Result(clock.seed, hours, world.broken, counts, clock.digest.hexdigest())


def _settles(world: World) -> Plan:
    """End the simulation some time after the last job has ended."""
    yield world.ends - world.clock.now + 300
    while not books.settled(world):
        yield 300
    yield 300
    world.machine.finish()


def quiet_logs() -> None:
    """Leave out what discord.py and the bot say of each fault."""
    logging.getLogger().addHandler(logging.NullHandler())
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
