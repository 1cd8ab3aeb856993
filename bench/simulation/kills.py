"""A lane whose process is killed now and then, and started again at once."""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from bench.simulation.clients import OwnLane
from bench.simulation.loads import Lasting, Load
from bench.simulation.world import Job, SimulatedWorld, make_jobs
from bot.engine.lane import Work
from sandbox.studii.ratelimit import Counting


class Mortal:
    """A client that is killed about every `every` seconds, at any moment. `live` begins a new life."""

    def __init__(
        self, world: SimulatedWorld, live: Callable[[], OwnLane], every: float, until: float
    ) -> None:
        self._world = world
        self._live = live
        self._life = live()
        self._every = every
        self._until = until
        self.deaths = 0
        self._die_later()

    def take(self, job: Job) -> None:
        self._life.take(job)

    def _die_later(self) -> None:
        at = self._world.now + self._every * self._world.rng.uniform(0.2, 1.8)
        if at < self._until:
            self._world.at(at, self._die)

    def _die(self) -> None:
        self.deaths += 1
        noted, jobs = self._life.killed()
        self._life = self._live()
        self._life.restart(noted, jobs)
        self._die_later()


def kills(
    load: Load,
    live: Callable[[SimulatedWorld], OwnLane],
    *,
    counting: Counting,
    lasting: Mapping[Work, Lasting],
    slow: float,
    every: float,
    lasts: float,
    seed: int = 0,
) -> tuple[SimulatedWorld, Mortal, list[Job]]:
    """Simulate it, with slow requests among them."""
    rng = Random(f"{load.name} {counting} {seed}")
    arrivals = load.arrivals(rng, lasts)
    world = SimulatedWorld(load.limit, rng, counting, slow)
    jobs = make_jobs(arrivals, load.works(rng, len(arrivals)), lasting, rng)
    mortal = Mortal(world, partial(live, world), every, lasts)
    for job in jobs:
        world.at(job.asked, partial(mortal.take, job))
    world.run(7200.0)
    return world, mortal, jobs
