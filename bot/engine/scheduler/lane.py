"""Decide what one Studii key sends next. Pure: no I/O, no clock of its own.

Submissions go first, unless a running job has very probably ended. Then the running job that has probably
been finished for longest is polled, if that is worth a request. Polls are paced over the requests that
submissions leave, and no more is submitted than can be polled often enough.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass

from bot.engine.scheduler.durations import Durations
from bot.engine.scheduler.poll_schedule import Poll, PollSchedule, Running
from bot.engine.scheduler.queue import LaneQueue, Step, Waiting
from bot.engine.scheduler.rate_limit import RateWindow
from bot.engine.tuning import Tuning

LEFT_FOR_POLLS = 0.1  # of the requests, however many want to be submitted
PRICE_RISES = 6  # the power of the share in use: requests need not be saved while a third is left over


@dataclass(frozen=True, slots=True)
class Send:
    """Send this now."""

    job_id: str
    step: Step

    def __str__(self) -> str:
        return f"{self.step} {self.job_id}"


@dataclass(frozen=True, slots=True)
class Rest:
    """Send nothing; decide again at `until`, or after the next event if it is None."""

    until: float | None = None


class Lane:
    """The jobs of one key, and what to send next for them."""

    def __init__(self, rate: RateWindow, durations: Durations, tuning: Tuning) -> None:
        self.rate = rate
        self._durations = durations
        self._tuning = tuning
        self._queue = LaneQueue()
        self.polls = PollSchedule(durations, tuning)
        self._in_flight: dict[str, Step] = {}
        self._began: dict[str, float] = {}  # those requests
        self._starts: deque[float] = deque()
        self._tokens = tuning.poll_burst
        self._filled_at: float | None = None

    @property
    def empty(self) -> bool:
        """Return whether the lane has no job and no request in flight."""
        return not (self._queue.jobs or self.polls or self._in_flight)

    def in_flight(self, job_id: str) -> bool:
        """Return whether a request for the job is in flight."""
        return job_id in self._in_flight

    def occupancy(self, now: float) -> float:
        """Return the share of the usable requests that count at `now`."""
        return self.rate.used(now) / self.rate.usable

    def sync(self, waiting: Iterable[Waiting], running: Iterable[Running], now: float) -> None:
        """Take over the jobs of the database, except for those with a request in flight."""
        self._queue.sync(waiting, self._in_flight)
        followed = (one for one in running if one.id not in self._in_flight)
        self.polls.sync(followed, self._in_flight, self._price(now))

    def put(self, job: Waiting | Running | None, job_id: str, now: float, again: float | None = None) -> None:
        """Take over a job after a request, or forget it if it is None.

        `again`: seconds until a running job is polled again, or a waiting one is tried again.
        """
        before = self._queue.remove(job_id)
        if isinstance(job, Running):
            if before is not None and before.price is not None and job.priced:
                self._queue.priced(before.price)
            # The age by the monotonic clock is kept: the one in the database depends on the wall clock.
            if job_id in self.polls:
                self.polls.polled(job_id, now, self._price(now), again)
            else:
                self.polls.follow(job, self._price(now))
            return
        self.polls.forget(job_id)
        if job is not None:
            self._queue.add(job)
            if again is not None and job.price is not None:
                # It waits for the price, as all with the same one do.
                self._queue.postpone_alike(job.price, job.not_before)

    def postpone(self, job_id: str, until: float) -> None:
        """Send nothing for the job before `until`."""
        self._queue.postpone(job_id, until)
        self.polls.postpone(job_id, until)

    def decide(self, now: float) -> Send | Rest:
        """Return what to send at `now`, or when to decide again. Call `begin` for a `Send`."""
        if len(self._in_flight) >= self._tuning.requests_in_flight:
            return Rest()
        if self.rate.requests_left(now) < 1:
            wanted = self._queue.jobs or self.polls
            return Rest(self.rate.next_request_at(now)) if wanted else Rest()
        poll, poll_at = self._next_poll(now)
        if poll is not None and poll.ended >= self._tuning.very_likely:
            return Send(poll.job_id, Step.POLL)
        start, start_at = self._next_start(now)
        if start is not None:
            return Send(start.id, start.step)
        if poll is not None:
            return Send(poll.job_id, Step.POLL)
        times = [at for at in (start_at, poll_at) if at is not None]
        return Rest(min(times)) if times else Rest()

    def begin(self, send: Send, now: float) -> None:
        """Record that the request is about to be sent."""
        self._in_flight[send.job_id], self._began[send.job_id] = send.step, now
        self.rate.begin(now)
        if send.step is Step.POLL:
            self._tokens -= 1.0
            self.polls.sending(send.job_id, now)
            return
        self._starts.append(now)
        self._queue.begin(send.job_id)

    def end(self, job_id: str, now: float, *, sent: bool) -> None:
        """Record that the request has ended; `sent` is False if it never left this process."""
        step = self._in_flight.pop(job_id)
        self.rate.end(self._began.pop(job_id), now, sent=sent)
        if not sent and step is not Step.POLL and self._starts:
            self._starts.pop()

    def position(self, job_id: str) -> int | None:
        """Return the position of a waiting job in the queue, from 1, or None if it does not wait."""
        return self._queue.position(job_id, self._in_flight)

    def waits_for_price(self, job_id: str) -> bool:
        """Return whether another job goes before this one, to learn the price of both."""
        return self._queue.waits_for_price(job_id, self._in_flight)

    def is_known(self, job_id: str) -> bool:
        """Return whether enough jobs like this one were seen to say how long they take."""
        job = self.waits(job_id) or self.polls.of(job_id)
        return job is not None and self._durations.known(job.work)

    def waits(self, job_id: str) -> Waiting | None:
        """Return a waiting job, or None if it does not wait."""
        return self._queue.jobs.get(job_id)

    def queue(self) -> Sequence[Waiting]:
        """Return the waiting jobs in order."""
        return self._queue.order(self._in_flight)

    def requests(self) -> list[tuple[str, Step]]:
        """Return the requests in flight."""
        return list(self._in_flight.items())

    def copy(self) -> "Lane":
        """Return an independent copy that decides as this lane would, and may be used in another thread."""
        for one in self._queue.jobs.values():
            self._durations.model(one.work)  # fitted now, as the other thread may not change the models
        twin = copy(self)
        twin.rate, twin._queue, twin.polls = self.rate.copy(), self._queue.copy(), self.polls.copy()  # noqa: SLF001 - its own twin
        twin._in_flight, twin._began = dict(self._in_flight), dict(self._began)  # noqa: SLF001 - its own twin
        twin._starts = deque(self._starts)  # noqa: SLF001 - its own twin
        return twin

    def _price(self, now: float) -> float:
        """Return the price of a poll: lower in an idle lane than in one that needs its requests."""
        return max(self._tuning.idle_price, self._tuning.poll_price * self.occupancy(now) ** PRICE_RISES)

    def _next_start(self, now: float) -> tuple[Waiting | None, float | None]:
        """Return the job to upload or submit now, or the time at which there may be one."""
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
        """Return whether one more job can run while all are polled often enough."""
        sent = [self._queue.jobs[job_id] for job_id in self._in_flight if job_id in self._queue.jobs]
        if start.begun or not (sent or self.polls):
            return True
        burden = self.polls.burden(now) + sum(self.polls.needs(one.work) for one in [*sent, start])
        return burden <= self.rate.usable / self._tuning.rate_period

    def _start_allowed_at(self, now: float) -> float:
        self._forget_starts(now)
        share = max(1, self.rate.usable - max(1, int(self.rate.usable * LEFT_FOR_POLLS)))
        if len(self._starts) < share:
            return now
        return self._starts[len(self._starts) - share] + self._tuning.rate_period

    def _next_poll(self, now: float) -> tuple[Poll | None, float | None]:
        """Return the job to poll now, or the time at which there may be one."""
        poll, due_at = self.polls.best(now, self._in_flight)
        if poll is None:
            return None, due_at
        pace = self._fill(now)
        if self._tokens < 1.0 - 1e-9:
            return None, now + (1.0 - self._tokens) / pace
        return poll, None

    def _fill(self, now: float) -> float:
        """Add the polls that were saved up since the last call; return the pace, in polls per second."""
        self._forget_starts(now)
        usable = self.rate.usable
        pace = max(usable - len(self._starts), LEFT_FOR_POLLS * usable) / self._tuning.rate_period
        since = now if self._filled_at is None else self._filled_at
        self._tokens = min(self._tuning.poll_burst, self._tokens + (now - since) * pace)
        self._filled_at = now
        return pace

    def _forget_starts(self, now: float) -> None:
        while self._starts and self._starts[0] + self._tuning.rate_period <= now:
            self._starts.popleft()
