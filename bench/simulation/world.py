"""A virtual clock, a Studii that counts requests, and the jobs in it."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from bench.simulation.loads import Lasting
from bot.engine.lane import Work
from sandbox.studii.ratelimit import Counting, RateStyle, make_limiter


@dataclass(eq=False)
class Job:
    """Times are seconds of the virtual clock. It is uploaded, submitted, and polled until it is seen."""

    name: str
    work: Work
    user: int
    asked: float
    takes: float
    uploaded: bool = False
    ends: float | None = None  # or None if it was not submitted
    seen: float | None = None  # when Studii answered the first poll after the end
    requests: int = 0
    asks: bool = False  # for how long it will wait, when it is asked for
    predicted: float | None = None  # seconds until its submission, as said then

    @property
    def delay(self) -> float:
        """For how long it was finished and not seen."""
        return (self.seen or 0.0) - (self.ends or 0.0)

    @property
    def overhead(self) -> float:
        """The whole wait without the time that Studii worked on it."""
        return (self.seen or 0.0) - self.asked - self.takes

    @property
    def waited(self) -> float:
        """The wait until it was submitted."""
        return (self.ends or 0.0) - self.takes - self.asked


@dataclass(eq=False)
class SimulatedWorld:
    """Answers take 50 to 150 ms each way; of the requests, the share `slow` takes up to 10 s each way."""

    limit: int
    rng: Random
    counting: Counting = "sliding"
    slow: float = 0.0
    now: float = 0.0
    requests: int = 0
    refused: int = 0
    _events: list[tuple[float, int, Callable[[], None]]] = field(
        default_factory=list[tuple[float, int, Callable[[], None]]]
    )
    _number: "count[int]" = field(default_factory=count)

    def __post_init__(self) -> None:
        self._limiter = make_limiter(self.limit, RateStyle(counting=self.counting))

    def at(self, moment: float, what: Callable[[], None]) -> None:
        """Call `what` at that moment."""
        heapq.heappush(self._events, (moment, next(self._number), what))

    def run(self, until: float) -> None:
        """Run until that moment, or until nothing is left to do."""
        while self._events and self._events[0][0] <= until:
            self.now, _, what = heapq.heappop(self._events)
            what()

    def request(self, job: Job, answered: Callable[[float | None], None]) -> None:
        """Send the job's next request. `answered` gets None, or the seconds of a 429's Retry-After."""
        job.requests += 1
        back = self._way()

        def arrive() -> None:
            self.requests += 1
            wait = self._limiter.take(1000.0 + self.now)
            if wait > 0:
                self.refused += 1
            else:
                self._serve(job)
            self.at(self.now + back, lambda: answered(wait if wait > 0 else None))

        self.at(self.now + self._way(), arrive)

    def _serve(self, job: Job) -> None:
        if not job.uploaded:
            job.uploaded = True
        elif job.ends is None:
            job.ends = self.now + job.takes
        elif self.now >= job.ends and job.seen is None:
            job.seen = self.now

    def _way(self) -> float:
        slow = self.slow and self.rng.random() < self.slow
        return self.rng.uniform(0.05, 10.0 if slow else 0.15)


def make_jobs(
    arrivals: Sequence[float], works: Sequence[Work], lasting: Mapping[Work, Lasting], rng: Random
) -> list[Job]:
    """Return jobs of seven members."""
    return [
        Job(f"{n:05}", work, n % 7, at, lasting[work].draw(rng))
        for n, (at, work) in enumerate(zip(arrivals, works, strict=True))
    ]
