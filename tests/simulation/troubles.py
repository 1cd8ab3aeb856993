"""What goes wrong besides requests: kills, stops, the gateway, servers away, the machine, permissions."""

import gc
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import wraps
from random import Random
from typing import Any

from sandbox.discord.emulator.places import (
    ADD_REACTIONS,
    APPLICATION_ID,
    ATTACH,
    HISTORY,
    SEND,
    VIEW,
    Overwrite,
)
from tests.simulation import disk
from tests.simulation.discord_world import NONCE_SECONDS
from tests.simulation.faults import EVERY, Fault
from tests.simulation.loop import Loop, Plan
from tests.simulation.world import GENERAL, SHOWROOM, World

HOUR = 3600.0
COLLECTED_AFTER = 60_000  # steps of a process, after which what it let go of takes much memory
SHARES = {"discord": 0.015, "studii": 0.03, "cdn": 0.05}  # of requests, that go wrong


def _often(hours: float) -> Callable[[Callable[[World, Random], Plan | None]], Callable[[World], Plan]]:
    """Make a plan of what goes wrong about once in so many hours, while things may go wrong."""

    def made(trouble: Callable[[World, Random], Plan | None]) -> Callable[[World], Plan]:
        @wraps(trouble)
        def plan(world: World) -> Plan:
            rand = world.clock.random(trouble.__name__)
            while True:
                yield rand.expovariate(world.every(hours, trouble.__name__))
                if world.faults.active:
                    yield from world.to_its_end(trouble(world, rand))

        return plan

    return made


@_often(6)
def kills(world: World, rand: Random) -> Plan:
    """Kill the process at any step: mostly soon after somebody did something, or Studii took a job."""
    of = rand.choice((world.discord.asked, world.studii.world.jobs, None))
    seen = len(of) if of is not None else -1
    while of is not None and len(of) == seen and world.busy:
        yield 0.05
    long = rand.random() < 0.1
    world.machine.away = world.a_while(rand, 600, 3 * HOUR) if long else rand.uniform(0.5, 40)
    world.machine.kill(rand.choice((rand.randint(1, 60), rand.randint(1, 3000))))
    world.faults.note("kill")


@_often(10)
def gaps(world: World, rand: Random) -> Plan:
    """Lose the answer that a message was sent, and let the process try again, also where it may not look
    whether it was, or kill it for longer than Discord knows a nonce."""
    how = rand.choice(("stalled", "502 after", "lost"))
    yield from world.until_met(f" POST /api/v10/channels/{GENERAL}/messages", Fault(how))
    world.faults.note("gap")
    if how == "lost":
        yield from take(world, GENERAL, HISTORY, 60.0)
    elif how == "stalled":
        world.machine.away = NONCE_SECONDS + world.a_while(rand, 0, HOUR)
        world.machine.kill(rand.randint(1, 60))


@_often(12)
def stops(world: World, rand: Random) -> Plan:
    """Ask the process to stop, as an upgrade does, or for a move without the photos as one is on its way."""
    if rand.random() < 0.5:
        yield from world.until_met("studii PUT ", Fault("stalled"))
        world.machine.loses = "*.source*"
    world.machine.away = rand.uniform(1, 60)
    world.machine.terminate()
    world.faults.note("stop")


@_often(3)
def gateway(world: World, rand: Random) -> None:
    """Disturb the gateway's connections."""
    how = rand.choice(("reconnect", "lost", "invalid"))
    world.clock.note("gateway", how)
    world.faults.note(f"gateway {how}")
    world.discord.disturb(how)


@_often(8)
def database(world: World, rand: Random) -> Plan:
    """Let SQLite fail for some seconds or minutes: another program holds the file, or the disk is broken."""
    code = rand.choice((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR))
    share = rand.choice((0.05, 0.3, 1.0))

    def spoil(sql: str, code: int = code, share: float = share) -> sqlite3.OperationalError | None:
        busy = code == sqlite3.SQLITE_BUSY and "BEGIN IMMEDIATE" not in sql
        return None if busy or rand.random() >= share else disk.failure(code)

    yield from _while(world, f"database {code}", rand.choice((1, 20, 300)), statement=spoil)


@_often(16)
def full_disk(world: World, rand: Random) -> Plan:
    """Let the disk be full for a while: nothing can be written."""
    yield from _while(world, "full disk", rand.uniform(5, 900), statement=_no_room, thread=disk.full)


def _no_room(sql: str) -> sqlite3.OperationalError | None:
    return disk.failure(sqlite3.SQLITE_FULL) if disk.writes(sql) else None


def _while(world: World, name: str, seconds: float, *, statement: Any, thread: Any = nullcontext) -> Plan:
    """Let statements and work in threads fail for so long, also those of the next process."""
    world.faults.note(name)
    world.clock.note(name, f"{seconds:.0f}")
    world.faults.outages.append((world.clock.now, world.clock.now + seconds, "disk"))

    def spoil(loop: Loop) -> None:
        loop.spoil_statement, loop.in_thread = statement, thread

    machine = world.machine
    machine.at_start = spoil
    if machine.loop is not None:
        spoil(machine.loop)
    yield seconds
    machine.at_start = lambda _: None
    if machine.loop is not None:
        machine.loop.spoil_statement, machine.loop.in_thread = (lambda _: None), nullcontext


@_often(8)
def slow_decoder(world: World, rand: Random) -> Plan:
    """Let the decoder be slow for some minutes."""
    world.faults.note("slow decoder")
    usual, world.machine.decoder.seconds = world.machine.decoder.seconds, rand.choice((2.0, 30.0))
    yield world.a_while(rand, 60, 900)
    world.machine.decoder.seconds = usual


@_often(12)
def wall_clock(world: World, rand: Random) -> Plan:
    """Let the machine's wall clock jump, and be set right again."""
    world.faults.note("wall clock jumps")
    world.clock.jumped = rand.choice((-1, 1)) * rand.choice((3, 90, 4000))
    world.clock.note("wall clock", world.clock.jumped)
    seconds = world.a_while(rand, 10, 1800)
    world.faults.wrong_clock.append((world.clock.now, world.clock.now + seconds))
    yield seconds
    world.clock.jumped = 0.0


@_often(6)
def permissions(world: World, rand: Random) -> Plan:
    """Take permissions from the bot in a channel for a while."""
    channel_id = rand.choice((GENERAL, GENERAL, SHOWROOM))
    denied = rand.choice((VIEW, SEND, ATTACH, HISTORY, ADD_REACTIONS))
    world.faults.note("permission taken")
    yield from take(world, channel_id, denied, world.a_while(rand, 60, HOUR))


def take(world: World, channel_id: int, denied: int, seconds: float) -> Plan:
    """Take a permission from the bot in a channel for so long."""
    channel = world.guild.channels[channel_id]
    world.clock.note("permission taken", channel.id, denied)
    if denied in {HISTORY, VIEW}:
        world.faults.unreadable.append((world.clock.now, world.clock.now + seconds, channel_id))
    taken = Overwrite(APPLICATION_ID, deny=denied, member=True)
    channel.overwrites.append(taken)
    world.discord.tell("CHANNEL_UPDATE", world.guild.id, channel.told())
    yield seconds
    channel.overwrites.remove(taken)
    world.clock.note("permission given", channel.id)
    world.discord.tell("CHANNEL_UPDATE", world.guild.id, channel.told())


def _outages(server: str, hours: float, mean: float) -> Callable[[World], Plan]:
    return lambda world: world.faults.outages_of(server, world.every(hours, f"{server} away"), mean)


PLANS: Mapping[str, Callable[[World], Plan]] = {
    **{
        plan.__name__.replace("_", " "): plan
        for plan in (kills, gaps, stops, gateway, database, full_disk, slow_decoder, wall_clock, permissions)
    },
    "discord away": _outages("discord", 12, 120),
    "studii away": _outages("studii", 8, 300),
    "cdn away": _outages("cdn", 12, 120),
}
"""What goes wrong by itself, by the name with which `--without` leaves it out."""


def begin(world: World, without: frozenset[str]) -> None:
    """Let everything go wrong that may."""
    faults = world.faults
    for server, share in SHARES.items():
        own = {"garbled": 1} if server == "studii" else {}
        kinds = {kind: weight for kind, weight in {**EVERY, **own}.items() if kind not in without}
        faults.share[server] = share if f"{server} requests" not in without and kinds else 0.0
        faults.kinds[server] = kinds
    for name, plan in PLANS.items():
        if name not in without:
            world.clock.follow(plan(world))


def names() -> list[str]:
    """Return all that can be left out."""
    return [*PLANS, *(f"{server} requests" for server in SHARES), *EVERY, "garbled"]


def every_minute(world: World) -> Plan:
    """Look at the books as they are, and collect garbage at a time of our own."""
    collected = 0
    while True:
        yield 60.0
        for look in world.at_minute:
            look()
        steps = world.minutes[-1]["steps"]
        if steps > collected + COLLECTED_AFTER:
            collected = steps
            gc.collect(1)  # of what has come since
