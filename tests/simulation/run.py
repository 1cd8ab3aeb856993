"""Runs one seed and says what was found."""

import asyncio
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TextIO

from bot.app import PartDied
from bot.errors import StudiiBotError
from tests.simulation import admins, books, people, troubles
from tests.simulation.loop import Clock, Plan, tamed
from tests.simulation.world import QUIET, SETTLING, World
from tests.support.database import database

ACTORS = {f"{plan.__name__} {who}": (plan, who) for plan, who in [*admins.ACTORS, *people.ACTORS]}

ADMIN_ENTERS = next(iter(ACTORS))  # the key
STARTS_WITHIN = 60.0  # seconds, or it gives up: an answer of Discord's is awaited for 30


@dataclass
class Result:
    """What a run was like, and the promises that were broken. `seconds` are of the processor.

    `ways` is how often jobs went from state to state.
    """

    seed: int
    hours: float
    broken: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])
    ways: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    digest: str = ""
    seconds: float = 0.0


def simulate(
    seed: int,
    hours: float,
    trace: TextIO | None = None,
    *,
    pace: float = 1.0,
    without: frozenset[str] = frozenset(),
    story: Callable[[World], Plan] | None = None,
) -> Result:
    """Run a seed in a folder of its own, leaving out the actors and troubles of these names.

    With a `pace` of 2, people act and things go wrong twice as often.
    A `story` is told instead: the key is entered, nothing goes wrong by itself, and nobody else acts.
    """
    began = time.process_time()
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        clock = Clock(seed, trace)
        if story is not None:  # of which the making of tables is no part
            asyncio.run(database(Path(folder, "0")))
        with tamed(clock):
            result = _play(World(clock, hours, Path(folder), pace), without, story)
    result.hours, result.seconds = hours, time.process_time() - began
    return result


def _play(world: World, without: frozenset[str], story: Callable[[World], Plan] | None) -> Result:
    clock, machine, faults = world.clock, world.machine, world.faults
    machine.unhandled = lambda what: world.breaks(f"unhandled: {what}")
    machine.failed = partial(_process_ended, world)
    for name, (actor, who) in ACTORS.items():
        if name not in without and (story is None or name == ADMIN_ENTERS):
            clock.follow(actor(world, who))
    if story is None:
        troubles.begin(world, without)
    else:
        clock.after(SETTLING, clock.follow, story(world))
    clock.follow(troubles.every_minute(world))
    clock.follow(_ends(world))
    machine.run(world.ends + QUIET)
    books.compare(world)
    counts = world.counts + Counter({f"fault: {name}": times for name, times in faults.met.items()})
    counts["faults"], counts["kills"] = sum(faults.met.values()), faults.met["kill"]
    counts["asked"], counts["steps"] = len(world.discord.asked), machine.steps
    return Result(clock.seed, 0, world.broken, counts, books.ways(world), clock.digest.hexdigest())


def _process_ended(world: World, error: BaseException) -> None:
    """Judge a process that ended by itself: it may refuse to start without a disk or Discord."""
    faults, now = world.faults, world.clock.now
    troubled = any(
        began <= now <= ended + 30 and of in {"disk", "discord"} for began, ended, of in faults.outages
    ) or any(at > now - STARTS_WITHIN and of == "discord" for at, of, _ in faults.spoilt[-20:])
    if troubled and isinstance(error, StudiiBotError) and not isinstance(error, PartDied):
        world.counts["starts refused"] += 1
    else:
        told = str(error).replace(str(world.machine.files.parent), "…")
        world.breaks(f"a process ended: {type(error).__name__}: {told}")


def _ends(world: World) -> Plan:
    """Watch the database once it is there, and end the simulation after a silence: all jobs have ended, all
    troubles are over, and in its time nobody has used the bot and no process has died."""
    yield SETTLING
    books.watch(world)
    yield world.ends - world.clock.now + 300
    before = 0
    while before < (before := len(world.discord.asked) + len(world.machine.lives)):
        while world.under_way or world.machine.loop is None or not books.settled(world):
            yield 300
        yield 300 + (books.QUIET_MINUTES + 1) * 60
    world.machine.finish()


def shrink(seed: int, hours: float, pace: float, told: Callable[[str], None]) -> tuple[float, frozenset[str]]:
    """Return the hours and what is left out of the smallest run that breaks one of the same promises."""
    wanted = {kind(line) for line in simulate(seed, hours, pace=pace).broken}
    if not wanted:
        told(f"seed {seed} breaks no promise in {hours:.2f} hours")
        return hours, frozenset()
    told(f"looking for: {', '.join(sorted(wanted))}")

    def fails(hours: float, without: frozenset[str]) -> bool:
        broken = simulate(seed, hours, pace=pace, without=without).broken
        return bool(wanted & {kind(line) for line in broken})

    while hours > 0.1 and fails(hours * 0.6, frozenset()):
        hours *= 0.6
        told(f"in {hours:.2f} hours, too")
    without = frozenset[str]()
    for name in [*ACTORS, *troubles.names()]:
        if not name.startswith("admin") and fails(hours, without | {name}):
            without |= {name}
            told(f"without {name}, too")
    return hours, without


def kind(line: str) -> str:
    """Return a broken promise without its numbers."""
    return re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b|\d+(\.\d+)?", "#", line.partition(": ")[2])
