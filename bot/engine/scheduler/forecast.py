"""Predict when the waiting jobs of a lane will be submitted. Pure.

The lane is simulated: a copy of it decides what the lane will decide, on a clock of its own. Answers take a
fixed time, and jobs last as long as such jobs were seen to last. Their durations are spread evenly over the
learned distribution, because with the mean alone all that began together would end together.

A plain figure (queue position divided by the starts per minute of the last minute) does not do: it is wrong
by more than 30 % for 30 to 90 % of the jobs in a burst. docs/engine.md has the measurements.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from bot.engine.scheduler.lane import Lane, Send
from bot.engine.scheduler.poll_schedule import Running
from bot.engine.scheduler.queue import Step

ANSWER = 0.2  # seconds that a request takes
DECISIONS = 900  # the most decisions of a simulation
MAX_SIMULATED_JOBS = 300  # those further back are predicted at the pace of the simulation
# Each simulation has the share of the distribution with which the spread durations begin (None if they are
# drawn at random), and the factor by which it takes the catalogue's guess to be wrong. Where the simulations
# differ, the real wait depends on chance or on the guess.
SIMULATIONS: Sequence[tuple[float | None, float]] = (
    (0.5, 1.0),
    (0.2, 0.4),
    (0.8, 3.0),
    (None, 1.0),
    (None, 1.0),
)
MIN_FORECAST_SECONDS = 3.0
AGREED = 0.3  # the share of the wait by which a prediction may be wrong if any of the simulations comes true,
AGREED_WITHIN = 2.0  # or the seconds, if all durations are known
# If one simulation starts a job within this many seconds, all of them together tell no wait of
# MIN_FORECAST_SECONDS: the longest that they can agree on is AGREED_WITHIN twice longer.
SOON = 2.0
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Forecast:
    """The times at which the waiting jobs will be submitted, by the monotonic clock, as predicted at `at`.

    A start is None if the simulations differ too much.
    """

    at: float
    starts: Mapping[str, float | None]

    def starts_in(self, job_id: str, now: float) -> float | None:
        """Return the seconds until a job will probably have been submitted.

        None if that is unknown or only a few seconds away.
        """
        start = self.starts.get(job_id)
        return None if start is None or start - now < MIN_FORECAST_SECONDS else start - now


def predict(lane: Lane, now: float) -> Forecast:
    """Simulate a lane from `now` on; the lane itself is not changed."""
    simulated = (
        _Simulation(lane.copy(), now, _random(number) if first is None else _spread(first), stretch).run()
        for number, (first, stretch) in enumerate(SIMULATIONS)
    )
    queue, alone = lane.queue(), next(simulated)
    if all(alone.get(one.id, now + SOON) - now < SOON for one in queue):
        return Forecast(now, {one.id: None for one in queue})
    runs = [alone, *simulated]
    guessed = not all(lane.is_known(job.id) for job in (*queue, *lane.polls.all()))
    starts: dict[str, float | None] = {}
    for one in queue:
        waits = [run[one.id] - now for run in runs if one.id in run]
        wait = _least_wrong(waits, 0.0 if guessed else AGREED_WITHIN) if len(waits) == len(runs) else None
        starts[one.id] = None if wait is None else now + wait
    return Forecast(now, starts)


def _least_wrong(waits: Sequence[float], within: float) -> float | None:
    """Return the wait that is off by the same share of the shortest and of the longest, or None if that
    share is too large."""
    shortest, longest = min(waits), max(waits)
    wrong = (longest - shortest) / (longest + shortest)
    agreed = wrong <= AGREED or longest - shortest <= 2 * within
    return shortest * (1.0 + wrong) if agreed else None


class _Simulation:
    """One simulation of a lane. `shares`: for each job in turn, where its duration lies in the distribution.
    `stretch`: the factor by which the guess is wrong."""

    def __init__(self, lane: Lane, now: float, shares: Iterator[float], stretch: float) -> None:
        self._lane = lane
        self._now = now
        self._queue = self._lane.queue()
        for one in self._queue[MAX_SIMULATED_JOBS:]:
            self._lane.put(None, one.id, now)
        self._shares = shares
        self._stretch = stretch
        self._ends = {job.id: self._end_of(job.id) for job in self._lane.polls.all()}
        self._starts: dict[str, float] = {}
        self._answers = [(now + ANSWER, job_id, step) for job_id, step in self._lane.requests()]
        heapq.heapify(self._answers)

    def run(self) -> dict[str, float]:
        """Return when each waiting job is submitted, as far as that can be said."""
        began = now = self._now
        for _ in range(DECISIONS):
            if len(self._starts) >= min(len(self._queue), MAX_SIMULATED_JOBS):
                break
            decision = self._lane.decide(now)
            if isinstance(decision, Send):
                self._lane.begin(decision, now)
                heapq.heappush(self._answers, (now + ANSWER, decision.job_id, decision.step))
                continue
            times = [at for at in (decision.until, *(one[0] for one in self._answers[:1])) if at is not None]
            if not times:
                break
            now = max(now, min(times))
            while self._answers and self._answers[0][0] <= now:
                _, job_id, step = heapq.heappop(self._answers)
                self._answered(job_id, step, now)
        self._extrapolate(began, now)
        return self._starts

    def _answered(self, job_id: str, step: Step, now: float) -> None:
        waiting = self._lane.waits(job_id)
        self._lane.end(job_id, now, sent=True)
        if step is Step.POLL:
            ended = self._ends.get(job_id, now) <= now - ANSWER / 2
            running = None if ended else self._lane.polls.of(job_id)
            self._lane.put(running, job_id, now)
        elif waiting is None:
            self._lane.put(None, job_id, now)
        elif step is Step.UPLOAD:
            self._lane.put(replace(waiting, step=Step.SUBMIT, begun=True), job_id, now)
        else:
            self._starts[job_id] = now
            self._lane.put(Running(job_id, now, waiting.work), job_id, now)
            self._ends[job_id] = self._end_of(job_id)

    def _end_of(self, job_id: str) -> float:
        return self._lane.polls.may_end(job_id, next(self._shares), self._stretch)

    def _extrapolate(self, began: float, now: float) -> None:
        """Give the jobs that the simulation did not reach starts at its pace."""
        left = [one.id for one in self._queue if one.id not in self._starts]
        if self._starts and left:
            last = max(self._starts.values())
            pace = max(now - began, last - began) / len(self._starts)
            self._starts.update({job_id: last + pace * n for n, job_id in enumerate(left, 1)})


def _spread(share: float) -> Iterator[float]:
    """Yield shares between 0 and 1 that are evenly spread, however many are taken."""
    while True:
        yield share
        share = (share + _GOLDEN) % 1.0


def _random(seed: int) -> Iterator[float]:
    rng = Random(seed)  # noqa: S311 - nothing secret
    while True:
        yield rng.random()
