"""What one Studii key should send next. Pure: no I/O, no clock of its own.

Its rules: a job that has been uploaded is submitted first, then members take turns with what waits, then
the running job whose look is most overdue. Submissions leave a tenth of the requests to looks, and looks
are spread over what submissions leave.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.engine.rate import RateWindow
from bot.engine.schedule import most_overdue, next_look
from bot.engine.tuning import MINUTE, Tuning

SETTLED_IN = 10 * MINUTE  # seconds; an older job no longer counts against how many may run


class Step(StrEnum):
    """A request, or a few that belong together."""

    UPLOAD = "upload"
    SUBMIT = "submit"
    POLL = "poll"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job that has not been submitted. Times are those of the clock that never jumps."""

    id: str
    user_id: int
    since: float  # only its order matters
    step: Step  # UPLOAD or SUBMIT
    not_before: float = 0.0
    begun: bool = False  # it has been uploaded: its turn goes on
    held: bool = False  # it met something that is in the way of all: they are tried one by one


@dataclass(frozen=True, slots=True)
class Running:
    """A job that Studii has."""

    id: str
    submitted: float


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

    def __init__(self, rate: RateWindow, tuning: Tuning) -> None:
        self.rate = rate
        self._tuning = tuning
        self._waiting: dict[str, Waiting] = {}
        self._running: dict[str, Running] = {}
        self._due: dict[str, float] = {}
        self._in_flight: dict[str, Step] = {}
        self._turns: dict[int, int] = {}  # user -> number of the last turn
        self._turn = 0
        self._starts: deque[float] = deque()
        self._next_poll = 0.0

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to do."""
        return not (self._waiting or self._running or self._in_flight)

    def in_flight(self, job_id: str) -> bool:
        """Whether a request for that job is under way."""
        return job_id in self._in_flight

    def overdue(self, now: float) -> float:
        """Seconds that the most overdue look is late; 0.0: none is."""
        return max(0.0, now - min(self._due.values(), default=now))

    def occupancy(self, now: float) -> float:
        """The share of the usable requests that is in use at `now`."""
        return self.rate.used(now) / self.rate.usable

    def sync(self, waiting: Iterable[Waiting], running: Iterable[Running], now: float) -> None:
        """Take over what the database says, but for jobs that have a request under way."""
        queued = {one.id: one for one in waiting if one.id not in self._in_flight}
        followed = {one.id: one for one in running if one.id not in self._in_flight}
        for job_id in self._in_flight:
            if job_id in self._waiting:
                queued[job_id] = self._waiting[job_id]
            if job_id in self._running:
                followed[job_id] = self._running[job_id]
        # The age by our own clock is kept: that of the database depends on the wall clock.
        self._running = {job_id: self._running.get(job_id, one) for job_id, one in followed.items()}
        self._due = {job_id: self._due.get(job_id, now) for job_id in followed}
        self._waiting = queued
        if not queued:
            self._turns.clear()

    def put(self, job: Waiting | Running | None, job_id: str, now: float, again: float | None = None) -> None:
        """Where a job stands after a request; `again`: look at a running one in so many seconds."""
        self._waiting.pop(job_id, None)
        before = self._running.pop(job_id, None)
        self._due.pop(job_id, None)
        if isinstance(job, Waiting):
            self._waiting[job_id] = job
        elif isinstance(job, Running):
            job = self._running[job_id] = before or job
            pause = next_look(now - job.submitted, self._tuning) if again is None else again
            self._due[job_id] = now + max(pause, self._tuning.first_look)

    def postpone(self, job_id: str, until: float) -> None:
        """Leave a job alone until then."""
        if job_id in self._waiting:
            self._waiting[job_id] = replace(self._waiting[job_id], not_before=until)
        if job_id in self._due:
            self._due[job_id] = until

    def age(self, job_id: str, now: float) -> float:
        """Seconds since a running job was submitted."""
        running = self._running.get(job_id)
        return 0.0 if running is None else max(0.0, now - running.submitted)

    def decide(self, now: float) -> Send | Rest:
        """The next thing to send at `now`, or when to look again. Follow a `Send` by `begin`."""
        if len(self._in_flight) >= self._tuning.requests_in_flight:
            return Rest()
        if self.rate.room(now) < 1:
            wanted = self._waiting or self._running
            return Rest(self.rate.next_room(now)) if wanted else Rest()
        start, start_at = self._next_start(now)
        if start is not None:
            return Send(start.id, start.step)
        poll, poll_at = self._next_poll_of(now)
        if poll is not None:
            return Send(poll, Step.POLL)
        times = [at for at in (start_at, poll_at) if at is not None]
        return Rest(min(times)) if times else Rest()

    def begin(self, send: Send, now: float) -> None:
        """The request is about to be sent."""
        self._in_flight[send.job_id] = send.step
        self.rate.begin(now)
        if send.step is Step.POLL:
            self._next_poll = now + self._poll_gap(now)
            return
        self._starts.append(now)
        waiting = self._waiting.get(send.job_id)
        if waiting is not None and not waiting.begun:
            self._turn += 1
            self._turns[waiting.user_id] = self._turn

    def end(self, job_id: str, now: float, *, sent: bool) -> None:
        """The request is over; `sent`: False if none left us."""
        step = self._in_flight.pop(job_id)
        self.rate.end(now, sent=sent)
        if not sent and step is not Step.POLL and self._starts:
            self._starts.pop()

    def position(self, job_id: str) -> int | None:
        """A waiting job's place in the line, from 1."""
        if job_id not in self._waiting:
            return None
        # Turn by turn: the first jobs of all members, then their second ones, and so on.
        taken: dict[int, int] = {}
        line: list[tuple[bool, int, int, float, str]] = []
        for one in sorted(self._waiting.values(), key=lambda one: (one.since, one.id)):
            ahead = one.begun or one.id in self._in_flight
            turn = 0 if ahead else taken.get(one.user_id, 0)
            line.append((not ahead, turn, self._turns.get(one.user_id, 0), one.since, one.id))
            taken[one.user_id] = taken.get(one.user_id, 0) + (not ahead)
        return [entry[-1] for entry in sorted(line)].index(job_id) + 1

    def _next_start(self, now: float) -> tuple[Waiting | None, float | None]:
        """What to upload or submit now; else when (None: something has to happen first)."""
        candidates = [one for one in self._waiting.values() if one.id not in self._in_flight]
        starting = sum(step is not Step.POLL for step in self._in_flight.values())
        held = [one.not_before for one in self._waiting.values() if one.held]
        at_once = 1 if held else self._tuning.starts_in_flight
        if not candidates or starting >= at_once or not self._may_run_more(starting, now):
            return None, None
        # What holds one of them would meet the others as well: all wait until the first is tried again.
        allowed_at = max(self._start_allowed_at(now), min(held, default=now))
        ready = [one for one in candidates if one.not_before <= now]
        if not ready or allowed_at > now:
            return None, max(min(one.not_before for one in candidates), allowed_at)
        return min(ready, key=self._rank), None

    def _rank(self, one: Waiting) -> tuple[bool, int, float, str]:
        return (not one.begun, self._turns.get(one.user_id, 0), one.since, one.id)

    def _may_run_more(self, starting: int, now: float) -> bool:
        young = sum(now - one.submitted < SETTLED_IN for one in self._running.values())
        return young + starting < max(1, self.rate.usable // 2)

    def _start_allowed_at(self, now: float) -> float:
        self._forget_starts(now)
        share = max(1, self.rate.usable - max(1, self.rate.usable // 10))
        if len(self._starts) < share:
            return now
        return self._starts[len(self._starts) - share] + self._tuning.rate_period

    def _next_poll_of(self, now: float) -> tuple[str | None, float | None]:
        """Whom to look at now; else when somebody is due."""
        idle = (job_id for job_id in self._due if job_id not in self._in_flight)
        job_id = most_overdue(self._due, idle)
        if job_id is None:
            return None, None
        at = max(self._due[job_id], self._next_poll)
        return (job_id, None) if at <= now else (None, at)

    def _poll_gap(self, now: float) -> float:
        """Looks are spread over what submissions leave, and a little is left for those that come."""
        self._forget_starts(now)
        kept = max(1, self.rate.usable // 20)
        return self._tuning.rate_period / max(1, self.rate.usable - len(self._starts) - kept)

    def _forget_starts(self, now: float) -> None:
        while self._starts and self._starts[0] + self._tuning.rate_period <= now:
            self._starts.popleft()
