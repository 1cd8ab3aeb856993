"""Measure one load under one policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from random import Random
from statistics import fmean, median

from bench.simulation.clients import Client, OwnLane, RoundRobin, exponential, fixed
from bench.simulation.loads import MIXES, USUAL, Lasting, Load
from bench.simulation.world import Job, SimulatedWorld, make_jobs
from bot.engine.lane import Durations, Lane, Work
from bot.engine.rate import RateWindow
from bot.engine.tuning import Tuning
from sandbox.studii.ratelimit import Counting

POLICIES = ("lane", "new lane", "round-robin", "fixed 2 s", "fixed 5 s", "exponential")
PREDICTED = ("lane", "new lane")
MAX_SIMULATED_SECONDS = 7200.0  # seconds of the virtual clock
NOTICED = 3.0  # seconds; predictions within this are right, and shorter waits don't count


@dataclass(frozen=True)
class Result:
    """Seconds, unless a name says otherwise."""

    load: Load
    policy: str
    jobs: int
    done: float  # share
    mean: float
    p95: float
    requests: float  # per job
    refused: float  # share of all requests
    overhead: float
    told: float | None  # share of the askers who had to wait in the queue that were told for how long
    told_well: float | None  # share of these waits that were predicted within 30 %
    longest_decision: float


@dataclass(frozen=True)
class Scale:
    """The size of a simulation: a load is run until it had `jobs` jobs, within bounds."""

    jobs: int = 2000
    burst_jobs: int = 240
    least: int = 2
    most: int = 24  # steady runs
    lasts: float = 1200.0
    askers: int = 10  # moments of a run, at random, at which those who come ask for how long they will wait

    def seconds(self, load: Load) -> float:
        """Return for how many seconds jobs come in a run: longer if they are few, and shorter if they are
        more than the key can carry, as the queue then only grows."""
        return self.lasts * (2.0 if load.in_flight <= 5 else 1.0) * (1.0 if load.polls >= 1.0 else 0.25)

    def runs(self, load: Load) -> int:
        if load.burst:
            return max(self.least, self.burst_jobs // load.in_flight)
        return min(max(self.least, ceil(self.jobs / (load.rate * self.seconds(load)))), self.most)


@dataclass(frozen=True)
class Newcomer:
    """The knowledge of a new lane: a guess that is wrong by a factor, and the durations of some jobs."""

    guess: float = 2.0
    seen: int = 0


def measure(
    load: Load,
    policy: str,
    scale: Scale,
    *,
    lasting: Mapping[Work, Lasting] = USUAL,
    counting: Counting = "sliding",
    tuning: Tuning | None = None,
    new: Newcomer = Newcomer(),
) -> Result:
    """Simulate the load a few times, and return the result."""
    jobs, requests, refused, slowest = list[Job](), 0, 0, 0.0
    for seed in range(scale.runs(load)):
        rng = Random(f"{load.name} {seed}")
        arrivals = load.arrivals(rng, scale.seconds(load))
        some = make_jobs(arrivals, load.works(rng, len(arrivals)), lasting, rng)
        world = SimulatedWorld(load.limit, rng, counting)
        knows = new if policy == "new lane" else Newcomer(guess=1.0, seen=100)
        durations = learned(load, lasting, rng, knows)
        client = _client(policy, world, load, durations, tuning or Tuning())
        if policy in PREDICTED:
            _let_some_ask(some, scale.askers, Random(f"asks {seed}"))
        for job in some:
            world.at(job.asked, partial(client.take, job))
        world.run(MAX_SIMULATED_SECONDS)
        jobs += some
        requests, refused = requests + world.requests, refused + world.refused
        if isinstance(client, OwnLane):
            slowest = max(slowest, client.longest_decision)
    return _result(load, policy, jobs, requests, refused, slowest)


def _let_some_ask(jobs: Sequence[Job], moments: int, rng: Random) -> None:
    """Let some jobs ask for a forecast: each takes a good part of a second, and the bot makes few."""
    all_moments = sorted({job.asked for job in jobs})
    chosen = set(rng.sample(all_moments, min(moments, len(all_moments))))
    for job in jobs:
        job.asks = job.asked in chosen


def learned(load: Load, lasting: Mapping[Work, Lasting], rng: Random, knows: Newcomer) -> Durations:
    durations = Durations(lambda work: knows.guess * USUAL[work].median)
    for work in MIXES[load.mix]:
        observe(durations, work, lasting[work], rng, knows.seen)
    return durations


def _client(policy: str, world: SimulatedWorld, load: Load, durations: Durations, tuning: Tuning) -> Client:
    if policy == "fixed 2 s":
        return fixed(world, 2.0)
    if policy == "fixed 5 s":
        return fixed(world, 5.0)
    if policy == "exponential":
        return exponential(world)
    kind = RoundRobin if policy == "round-robin" else Lane
    return OwnLane(world, durations, kind(RateWindow(load.limit, tuning), durations, tuning))


def observe(durations: Durations, work: Work, lasting: Lasting, rng: Random, number: int) -> list[float]:
    """Let it learn from `number` jobs, polled at a tenth of their duration; return how long they took."""
    took = [lasting.draw(rng) for _ in range(number)]
    for seconds in took:
        gap = max(1.0, seconds / 10)
        low = max(0.0, seconds - rng.random() * gap)
        durations.learn(work, low, max(low + gap, seconds))
    return took


def _result(load: Load, policy: str, jobs: list[Job], requests: int, refused: int, slowest: float) -> Result:
    seen = [job for job in jobs if job.seen is not None]
    delays = sorted(job.delay for job in seen)
    waits = [
        (job.predicted, job.waited) for job in seen if job.asks and (job.waited >= NOTICED or job.predicted)
    ]
    well = [abs(wait - said) <= max(0.3 * wait, NOTICED) for said, wait in waits if said is not None]
    return Result(
        load,
        policy,
        len(jobs),
        len(seen) / len(jobs),
        fmean(delays),
        delays[min(len(delays) - 1, int(0.95 * len(delays)))],
        requests / len(jobs),
        refused / max(1, requests),
        fmean(job.overhead for job in seen),
        len(well) / len(waits) if waits and policy in PREDICTED else None,
        fmean(well) if well and policy in PREDICTED else None,
        slowest,
    )


@dataclass(frozen=True)
class Learned:
    """The relative error of the median that is learned from some jobs."""

    of_these: float  # against the median of those jobs: nine times of ten it is no more
    of_all: float  # against that of all such jobs, as far as so few can tell: half the time it is no more


def learning(work: Work, wrong: float, *, times: int = 100, number: int = 20) -> Learned:
    """Learn with a guess that is wrong by that factor."""
    rng, lasting = Random(5), USUAL[work]
    of_these, of_all = list[float](), list[float]()
    for _ in range(times):
        durations = Durations(lambda _: lasting.median * wrong)
        took = observe(durations, work, lasting, rng, number)
        learned = durations.model(work).median
        of_these.append(abs(learned / median(took) - 1))
        of_all.append(abs(learned / lasting.median - 1))
    return Learned(sorted(of_these)[int(0.9 * times)], median(of_all))
