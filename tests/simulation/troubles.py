"""What goes wrong besides requests: kills, stops, the gateway, servers that are away."""

import gc

from tests.simulation.faults import EVERY
from tests.simulation.loop import Plan
from tests.simulation.world import World

FAULTY = {"discord": 0.015, "studii": 0.03, "cdn": 0.05}  # the share of requests that go wrong
STUDII_KINDS = {"garbled": 1}


def kills(world: World, every: float = 7 * 3600.0) -> Plan:
    """Kill the process at any step: half of the times soon after somebody did something."""
    rand = world.clock.random("kills")
    while True:
        yield rand.expovariate(1 / every)
        if not world.faults.active:
            continue
        if rand.random() < 0.5:
            seen = len(world.discord.asked)
            while len(world.discord.asked) == seen and world.busy:
                yield 0.05
        world.machine.kill(rand.choice((rand.randint(1, 60), rand.randint(1, 3000))))
        world.faults.note("kill")


def stops(world: World) -> Plan:
    """Ask the process to stop, as an upgrade does."""
    rand = world.clock.random("stops")
    while True:
        yield rand.expovariate(1 / (12 * 3600))
        if world.faults.active:
            world.machine.terminate()
            world.faults.note("stop")


def gateway(world: World) -> Plan:
    """Disturb the gateway's connections."""
    rand = world.clock.random("gateway")
    while True:
        yield rand.expovariate(1 / (3 * 3600))
        if world.faults.active:
            how = rand.choice(("reconnect", "lost", "invalid"))
            world.clock.note("gateway", how)
            world.faults.note(f"gateway {how}")
            world.discord.disturb(how)


def every_minute(world: World) -> Plan:
    """Look at the books as they are, and collect garbage at a time of our own."""
    minutes = 0
    while True:
        yield 60.0
        for look in world.at_minute:
            look()
        minutes += 1
        if minutes % 240 == 0:
            gc.collect()


def begin(world: World) -> None:
    """Let everything go wrong that may."""
    world.faults.share.update(FAULTY)
    world.faults.kinds["studii"] = {**EVERY, **STUDII_KINDS}
    plans = [kills(world), stops(world), gateway(world), every_minute(world)]
    plans += [
        world.faults.outages_of("discord", 12 * 3600, 120),
        world.faults.outages_of("studii", 8 * 3600, 300),
        world.faults.outages_of("cdn", 12 * 3600, 120),
    ]
    for plan in plans:
        world.clock.follow(plan)
