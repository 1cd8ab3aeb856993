"""What one Studii key should send next. Pure: no I/O, no clock of its own.

Submissions go first, unless a running job has very probably ended; then the running job that has probably
been sitting finished the longest is looked at, if that is worth a request. Looks are paced over what
submissions leave of the allowance, and no more is submitted than can be looked at decently.
"""

from collections import deque
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from bot.engine.scheduler.durations import Durations, Work
from bot.engine.scheduler.poll_schedule import Look, Looks, Running
from bot.engine.scheduler.queue import JobQueue, Step, Waiting
from bot.engine.scheduler.rate_limit import RateWindow
from bot.engine.scheduler.tuning import Tuning

LEFT_FOR_LOOKS = 0.1  # of the requests, however many want to be submitted
PRICE_RISES = 6  # the power of the share in use: requests need not be saved while a third is left over


@dataclass(frozen=True, slots=True)
class Send:
    """Send this now."""

    job_id: str
    step: Step


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing to send; ask again at `until`, or (None) when something has happened."""

    until: float | None = None


class Lane:
    """The jobs of one key, and its requests."""

    def __init__(self, rate: RateWindow, durations: Durations, tuning: Tuning) -> None:
        self.rate = rate
        self._durations = durations
        self._tuning = tuning
        self._queue = JobQueue()
        self._looks = Looks(durations, tuning)
        self._in_flight: dict[str, Step] = {}
        self._starts: deque[float] = deque()
        self._tokens = tuning.look_burst
        self._filled_at: float | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to do."""
        return not (self._queue.jobs or self._looks or self._in_flight)

    def in_flight(self, job_id: str) -> bool:
        """Whether a request for that job is under way."""
        return job_id in self._in_flight

    def overdue(self, now: float) -> float:
        """Seconds that the most overdue look is late; 0.0: none is."""
        return self._looks.overdue(now)

    def occupancy(self, now: float) -> float:
        """The share of the usable requests that is in use at `now`."""
        return self.rate.used(now) / self.rate.usable

    def sync(self, waiting: Iterable[Waiting], running: Iterable[Running], now: float) -> None:
        """Take over what the database says, but for jobs that have a request under way."""
        self._queue.sync(waiting, self._in_flight)
        followed = (one for one in running if one.id not in self._in_flight)
        self._looks.sync(followed, self._in_flight, self._price(now))

    def put(self, job: Waiting | Running | None, job_id: str, now: float, again: float | None = None) -> None:
        """Where a job stands after a request; `again`: look at a running one in so many seconds."""
        before = self._queue.jobs.pop(job_id, None)
        if isinstance(job, Running):
            if before is not None and before.price is not None:
                # Studii has told it. If it has not, the next `sync` says so.
                self._queue.priced(before.price)
            # The age by our own clock is kept: that of the database depends on the wall clock.
            if job_id in self._looks:
                self._looks.looked(job_id, now, self._price(now), again)
            else:
                self._looks.follow(job, self._price(now))
            return
        self._looks.forget(job_id)
        if job is not None:
            self._queue.jobs[job_id] = job

    def postpone(self, job_id: str, until: float) -> None:
        """Leave a job alone until then."""
        self._queue.postpone(job_id, until)
        self._looks.postpone(job_id, until)

    def age(self, job_id: str, now: float) -> float:
        """Seconds since a running job was submitted."""
        return self._looks.age(job_id, now)

    def ended_between(self, job_id: str, now: float) -> tuple[Work, float, float] | None:
        """For a job that was just seen to have ended, before it is put: between which ages it did."""
        return self._looks.ended_between(job_id, now)

    def decide(self, now: float) -> Send | Rest:
        """The next thing to send at `now`, or when to look again. Follow a `Send` by `begin`."""
        if len(self._in_flight) >= self._tuning.requests_in_flight:
            return Rest()
        if self.rate.room(now) < 1:
            wanted = self._queue.jobs or self._looks
            return Rest(self.rate.next_room(now)) if wanted else Rest()
        look, look_at = self._next_look(now)
        if look is not None and look.ended >= self._tuning.very_likely:
            return Send(look.job_id, Step.POLL)
        start, start_at = self._next_start(now)
        if start is not None:
            return Send(start.id, start.step)
        if look is not None:
            return Send(look.job_id, Step.POLL)
        times = [at for at in (start_at, look_at) if at is not None]
        return Rest(min(times)) if times else Rest()

    def begin(self, send: Send, now: float) -> None:
        """The request is about to be sent."""
        self._in_flight[send.job_id] = send.step
        self.rate.begin(now)
        if send.step is Step.POLL:
            self._tokens -= 1.0
            self._looks.sending(send.job_id, now)
            return
        self._starts.append(now)
        self._queue.begin(send.job_id)

    def end(self, job_id: str, now: float, *, sent: bool) -> None:
        """The request is over; `sent`: False if none left us."""
        step = self._in_flight.pop(job_id)
        self.rate.end(now, sent=sent)
        if not sent and step is not Step.POLL and self._starts:
            self._starts.pop()

    def position(self, job_id: str) -> int | None:
        """Return the position of a waiting job in the queue, from 1, or None if it does not wait."""
        if job_id not in self._queue.jobs:
            return None
        return [one.id for one in self.queue()].index(job_id) + 1

    def waits_for_price(self, job_id: str) -> bool:
        """Whether another job is sent before this one to learn what both cost."""
        return self._queue.waits_for_price(job_id, self._in_flight)

    def ends_in(self, job_id: str, now: float) -> float | None:
        """Seconds until a running job has as probably ended as not."""
        return self._looks.ends_in(job_id, now)

    def is_known(self, job_id: str) -> bool:
        """Whether it has been seen how long jobs like that one take."""
        job = self.waits(job_id) or self.runs(job_id)
        return job is not None and self._durations.known(job.work)

    def waits(self, job_id: str) -> Waiting | None:
        """Return what is known of a waiting job."""
        return self._queue.jobs.get(job_id)

    def runs(self, job_id: str) -> Running | None:
        """What is known of a running job."""
        return self._looks.of(job_id)

    def queue(self) -> list[Waiting]:
        """Return the waiting jobs in order."""
        return self._queue.order(self._in_flight)

    def running(self) -> list[Running]:
        """The jobs that are looked at."""
        return self._looks.all()

    def under_way(self) -> list[tuple[str, Step]]:
        """The requests that wait for an answer."""
        return list(self._in_flight.items())

    def may_end(self, job_id: str, share: float, stretch: float = 1.0) -> float:
        """The moment by which a running job will have ended with that probability."""
        return self._looks.may_end(job_id, share, stretch)

    def copy(self) -> "Lane":
        """One that decides as this one would, and can be played with, even in another thread."""
        for one in self._queue.jobs.values():
            self._durations.model(one.work)  # fitted here, if it was not yet: there nothing may be changed
        twin = copy(self)
        twin.rate, twin._queue, twin._looks = self.rate.copy(), self._queue.copy(), self._looks.copy()  # noqa: SLF001 - its own twin
        twin._in_flight, twin._starts = dict(self._in_flight), deque(self._starts)  # noqa: SLF001 - its own twin
        return twin

    def _price(self, now: float) -> float:
        """An idle lane looks more eagerly than one that needs its requests."""
        return max(self._tuning.idle_price, self._tuning.look_price * self.occupancy(now) ** PRICE_RISES)

    def _next_start(self, now: float) -> tuple[Waiting | None, float | None]:
        """What to upload or submit now; else when (None: something has to happen first)."""
        starting = sum(step is not Step.POLL for step in self._in_flight.values())
        at_once = 1 if self._queue.held else self._tuning.starts_in_flight
        if starting >= at_once:
            return None, None
        start, start_at = self._queue.next(now, self._in_flight)
        if start is None:
            return None, start_at
        if not self._can_carry(start, now):
            return None, None
        allowed_at = self._start_allowed_at(now)
        return (start, None) if allowed_at <= now else (None, allowed_at)

    def _can_carry(self, start: Waiting, now: float) -> bool:
        """Whether what runs, what is being sent and this one more can be looked at decently."""
        sent = [self._queue.jobs[job_id] for job_id in self._in_flight if job_id in self._queue.jobs]
        if start.begun or not (sent or self._looks):
            return True
        burden = self._looks.burden(now) + sum(self._looks.needs(one.work) for one in [*sent, start])
        return burden <= self._capacity

    @property
    def _capacity(self) -> float:
        return self.rate.usable / self._tuning.rate_period

    def _start_allowed_at(self, now: float) -> float:
        self._forget_starts(now)
        share = max(1, self.rate.usable - max(1, int(self.rate.usable * LEFT_FOR_LOOKS)))
        if len(self._starts) < share:
            return now
        return self._starts[len(self._starts) - share] + self._tuning.rate_period

    def _next_look(self, now: float) -> tuple[Look | None, float | None]:
        """Whom to look at now; else when, as far as that is known."""
        look, due_at = self._looks.best(now, self._in_flight)
        if look is None:
            return None, due_at
        pace = self._fill(now)
        if self._tokens < 1.0 - 1e-9:
            return None, now + (1.0 - self._tokens) / pace
        return look, None

    def _fill(self, now: float) -> float:
        """Looks are paced over what submissions leave. Returns how many a second that is."""
        self._forget_starts(now)
        usable = self.rate.usable
        pace = max(usable - len(self._starts), LEFT_FOR_LOOKS * usable) / self._tuning.rate_period
        since = now if self._filled_at is None else self._filled_at
        self._tokens = min(self._tuning.look_burst, self._tokens + (now - since) * pace)
        self._filled_at = now
        return pace

    def _forget_starts(self, now: float) -> None:
        while self._starts and self._starts[0] + self._tuning.rate_period <= now:
            self._starts.popleft()
