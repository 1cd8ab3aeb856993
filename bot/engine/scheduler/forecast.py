"""When what waits will be submitted, and when it will have ended. Pure.

The lane is rehearsed: a copy of it decides what the lane will decide, on a clock of its own, with answers
that take a moment and jobs that last as such jobs do. How long each lasts is spread over what was learned, as
evenly as can be (a mean alone would let all that began together end together).
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from bot.engine.scheduler.lane import Lane, Send
from bot.engine.scheduler.poll_schedule import Running
from bot.engine.scheduler.queue import Step

ANSWER = 0.2  # seconds that a request takes
DECISIONS = 900  # bounds a rehearsal,
FOREMOST = 300  # with so many of the line; for those further back its pace goes on
# Some rehearsals spread evenly how long jobs last, from that share on, others (None) leave it to luck: where
# these differ, luck will decide. Some take the guess to be wrong by a factor, which counts for as much as the
# guess itself.
REHEARSALS: Sequence[tuple[float | None, float]] = (
    (0.5, 1.0),
    (0.2, 0.4),
    (0.8, 3.0),
    (None, 1.0),
    (None, 1.0),
)
AT_ONCE = 3.0  # seconds
AGREED = 0.3  # what is told may be wrong by so much of the wait, whichever of them comes true,
AGREED_WITHIN = 2.0  # or by so many seconds, if nobody has to guess
_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a lane foretold at a moment: when each job in line will be submitted, by its clock; None: the
    rehearsals differ by so much that nobody can say."""

    at: float
    starts: Mapping[str, float | None]

    def starts_in(self, job_id: str, now: float) -> float | None:
        """Seconds until a job will probably have been submitted; None: that is not known, or at once."""
        start = self.starts.get(job_id)
        return None if start is None or start - now < AT_ONCE else start - now


def foretell(lane: Lane, now: float) -> Forecast:
    """Rehearse a lane (a copy, as it is played with) from `now` on."""
    runs = [
        _Rehearsal(lane.copy(), now, _luck(number) if first is None else _spread(first), stretch).run()
        for number, (first, stretch) in enumerate(REHEARSALS)
    ]
    queue = lane.queue()
    guessed = not all(lane.is_known(job.id) for job in (*queue, *lane.running()))
    starts: dict[str, float | None] = {}
    for one in queue:
        waits = [run[one.id] - now for run in runs if one.id in run]
        wait = _least_wrong(waits, 0.0 if guessed else AGREED_WITHIN) if len(waits) == len(runs) else None
        starts[one.id] = None if wait is None else now + wait
    return Forecast(now, starts)


def _least_wrong(waits: Sequence[float], within: float) -> float | None:
    """The wait that is wrong by the same share of the shortest and of the longest; None: by too much."""
    shortest, longest = min(waits), max(waits)
    wrong = (longest - shortest) / (longest + shortest)
    agreed = wrong <= AGREED or longest - shortest <= 2 * within
    return shortest * (1.0 + wrong) if agreed else None


class _Rehearsal:
    def __init__(self, lane: Lane, now: float, shares: Iterator[float], stretch: float) -> None:
        self._lane = lane
        self._now = now
        self._queue = self._lane.queue()
        for one in self._queue[FOREMOST:]:
            self._lane.put(None, one.id, now)
        self._shares = shares
        self._stretch = stretch
        self._ends = {job.id: self._end_of(job.id) for job in self._lane.running()}
        self._starts: dict[str, float] = {}
        self._answers = [(now + ANSWER, job_id, step) for job_id, step in self._lane.requests()]
        heapq.heapify(self._answers)

    def run(self) -> dict[str, float]:
        began = now = self._now
        for _ in range(DECISIONS):
            if len(self._starts) >= min(len(self._queue), FOREMOST):
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
        self._reckon(began, now)
        return self._starts

    def _answered(self, job_id: str, step: Step, now: float) -> None:
        waiting = self._lane.waits(job_id)
        self._lane.end(job_id, now, sent=True)
        if step is Step.POLL:
            ended = self._ends.get(job_id, now) <= now - ANSWER / 2
            running = None if ended else self._lane.runs(job_id)
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
        return self._lane.may_end(job_id, next(self._shares), self._stretch)

    def _reckon(self, began: float, now: float) -> None:
        """Those that the rehearsal did not come to: at the pace that it had."""
        left = [one.id for one in self._queue if one.id not in self._starts]
        if self._starts and left:
            last = max(self._starts.values())
            pace = max(now - began, last - began) / len(self._starts)
            self._starts.update({job_id: last + pace * n for n, job_id in enumerate(left, 1)})


def _spread(share: float) -> Iterator[float]:
    """Shares between 0 and 1, evenly spread however many are taken."""
    while True:
        yield share
        share = (share + _GOLDEN) % 1.0


def _luck(seed: int) -> Iterator[float]:
    rng = Random(seed)  # noqa: S311 - nothing secret
    while True:
        yield rng.random()
