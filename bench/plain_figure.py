"""`python -m bench.plain_figure`: predicted waits beside a plain figure, to see what simulating is worth.

The plain figure is the position in the queue divided by the starts per second of the last minute.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from random import Random

from bench.simulation.clients import OwnLane
from bench.simulation.loads import USUAL, Load
from bench.simulation.measure import NOTICED, Newcomer, Scale, learned
from bench.simulation.world import Job, SimulatedWorld, make_jobs
from bot.engine.lane import MIN_FORECAST_SECONDS, Durations, Lane, Send, Step, forecast
from bot.engine.rate import RateWindow
from bot.engine.tuning import MINUTE, Tuning

ASKED_EVERY = 15.0  # seconds, as answers are looked at
LASTS = 600.0  # seconds after the last arrival
WRONG = 0.3  # of the wait
LOADS = [
    Load("images", 60, 20, burst=True),
    Load("mixed", 60, 60, burst=True),
    Load("videos", 60, 60, burst=True),
    Load("mixed", 300, 200, burst=True),
    Load("images", 60, 8),
    Load("mixed", 60, 20),
    Load("videos", 60, 60),
]
NEWCOMERS = {"has seen 100 jobs": Newcomer(1.0, 100), "none, a guess of a third": Newcomer(1 / 3)}
Told = tuple[float, float | None, float | None]  # the wait, the predicted one, and the plain figure


class Asked(OwnLane):
    """A lane that is asked for the waits of all in its queue."""

    def __init__(self, world: SimulatedWorld, durations: Durations, lane: Lane) -> None:
        super().__init__(world, durations, lane)
        self._world, self._lane = world, lane
        self._starts: dict[str, float] = {}
        self._told: list[tuple[str, float, float | None, float | None]] = []

    def ask(self) -> None:
        """Note the wait that is predicted now for each waiting job."""
        now, queue = self._world.now, self._lane.order()
        starts_at = forecast(self._lane.copy(), now)
        starts = sum(at > now - MINUTE for at in self._starts.values())
        for position, one in enumerate(queue, 1):
            plain = position * MINUTE / starts if starts else None
            wait = starts_at.get(one.id, now) - now
            self._told.append((one.id, now, wait if wait >= MIN_FORECAST_SECONDS else None, plain))

    def told(self) -> list[Told]:
        """Return what was told of each wait that has ended."""
        return [
            (wait, predicted, plain)
            for job, at, predicted, plain in self._told
            if job in self._starts and (wait := self._starts[job] - at) >= NOTICED
        ]

    def _answered(self, send: Send, refused: float | None) -> None:
        if send.step is Step.SUBMIT and refused is None:
            self._starts[send.job_id] = self._world.now
        super()._answered(send, refused)


def measure(load: Load, knows: Newcomer, runs: int = 2) -> list[Told]:
    """Simulate a load, and ask a few times at arrivals and again every 15 seconds."""
    told: list[Told] = []
    for seed in range(runs):
        rng, asks, tuning = Random(f"{load.name} {seed}"), Random(f"asks {seed}"), Tuning()
        arrivals = load.arrivals(rng, Scale().seconds(load))
        jobs: Sequence[Job] = make_jobs(arrivals, load.works(rng, len(arrivals)), USUAL, rng)
        world, durations = SimulatedWorld(load.limit, rng), learned(load, USUAL, rng, knows)
        client = Asked(world, durations, Lane(RateWindow(load.limit, tuning), durations, tuning))
        for job in jobs:
            world.at(job.asked, partial(client.take, job))
        times = [ASKED_EVERY * n for n in range(1, int((max(arrivals) + LASTS) / ASKED_EVERY))]
        moments = sorted(set(arrivals))
        for at in (*asks.sample(moments, min(10, len(moments))), *asks.sample(times, min(30, len(times)))):
            world.at(at, client.ask)
        world.run(2 * max(arrivals) + 4 * LASTS)
        told += client.told()
    return told


def summary(told: Sequence[Told]) -> str:
    """Say for how many there was a figure, and how many of these were wrong by more than 30 % (and 3 s)."""
    parts: list[str] = []
    for name, column in (("simulated", 1), ("plain", 2)):
        pairs = [(one[0], said) for one in told if (said := one[column]) is not None]
        wrong = sum(abs(wait - said) > max(WRONG * wait, NOTICED) for wait, said in pairs)
        parts.append(f"{name}: {len(pairs) / len(told):4.0%} told, {wrong / max(1, len(pairs)):4.0%} wrong")
    return " | ".join(parts)


def main() -> None:
    """Print a line for each load."""
    cases = list(product(LOADS, NEWCOMERS))
    everything: list[Told] = []
    with ProcessPoolExecutor() as pool:
        futures = [pool.submit(measure, load, NEWCOMERS[name]) for load, name in cases]
        for (load, name), future in zip(cases, futures, strict=True):
            told = future.result()
            everything += told
            if told:
                print(f"{load.name:30} {name:26} {summary(told)}", flush=True)  # noqa: T201 - its output
    print(f"{'all':57} {summary(everything)}")  # noqa: T201 - its output


if __name__ == "__main__":
    main()
