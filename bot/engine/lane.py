"""Decide what one Studii key sends next: uploads, submissions and polls. Pure: the caller passes the time.

Submissions go first, unless a running job has very probably ended. Then the running job that has probably
been finished for longest is polled, if that is worth a request. Polls are paced over the requests that
submissions leave, and no more is submitted than can be polled often enough.
"""

from bisect import bisect_left
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, pairwise
from math import exp, log
from statistics import NormalDist
from typing import NamedTuple

from bot.engine.rate import RateWindow
from bot.engine.tuning import HOUR, MINUTE, Tuning

REMEMBERED = 100  # newest durations of a kind of work
TOLD_FROM = 3  # seen jobs; with fewer there is only a guess, and no time is shown
GUESS_WEIGHT = 2.0  # the number of jobs that the guess counts as at first
GUESS_FADES = 5.0  # the number of seen jobs at which it counts for half of that
GUESS_SPREAD = 0.7  # standard deviation of the logarithm
GUESS_MAY_BE_SHORT = 3.0  # by this factor: how many jobs a lane carries until some were seen
TAIL_WEIGHT, TAIL_SPREAD = 0.4, 2.0  # always stays: guesses are wrong, jobs fail immediately or start cold
ROUNDS = 4
LEFT_FOR_POLLS = 0.1  # of the requests, however many want to be submitted
ANSWER = 0.2  # seconds that a request takes in a forecast
MAX_DECISIONS = 900  # of a forecast
MIN_FORECAST_SECONDS = 3.0

FIRST, STEP, CELLS = 0.25, 0.08, 190  # the first cell ends after 0.25 s, the last after some ten days
_EDGES = [0.0, *(FIRST * exp(STEP * n) for n in range(CELLS))]
_WIDTHS = [high - low for low, high in pairwise(_EDGES)]
_LOG_FIRST, _GOLDEN = log(FIRST), 0.6180339887498949


class Work(NamedTuple):
    """A kind of job: those of one tool and kind of output take similarly long."""

    tool: str
    output_kind: str


class Glance(NamedTuple):
    """The probability to have ended by an age, and its integral up to then."""

    age: float
    ended: float
    area: float


class Model:
    """The distribution of the durations of one kind of work, in seconds, over logarithmic cells."""

    def __init__(self, masses: Sequence[float]) -> None:
        total = sum(masses)
        self._ended = [0.0, *(part / total for part in accumulate(masses))]
        cells = zip(_WIDTHS, pairwise(self._ended), strict=True)
        self._areas = [0.0, *accumulate((low + high) / 2 * width for width, (low, high) in cells)]
        self.median, longest = self.quantile(0.5), self.quantile(0.98)
        self.mean = longest - self.glance(longest).area  # the longest ones cut short

    def glance(self, age: float) -> Glance:
        """Return what is known of any job at that age."""
        cell = _cell(age)
        into, ended = min(age - _EDGES[cell], _WIDTHS[cell]), self._ended[cell]
        rise = (self._ended[cell + 1] - ended) * into / _WIDTHS[cell]
        beyond = max(0.0, age - _EDGES[CELLS])
        return Glance(age, ended + rise, self._areas[cell] + (ended + rise / 2) * into + beyond)

    def unseen(self, since: Glance, age: float) -> tuple[float, float]:
        """Return the probability that a job has ended that was running at the last poll (`since`), and for
        how many seconds it is expected to have been finished: ∫ P(ended by u | running then) du."""
        now, running = self.glance(age), max(1.0 - since.ended, 1e-6)
        waited = (now.area - since.area - since.ended * (age - since.age)) / running
        return min(1.0, (now.ended - since.ended) / running), max(0.0, waited)

    def quantile(self, share: float) -> float:
        """Return the duration that this share of the jobs stays under."""
        place = min(max(bisect_left(self._ended, share), 1), CELLS)
        low, high = self._ended[place - 1], self._ended[place]
        return _EDGES[place - 1] + _WIDTHS[place - 1] * ((share - low) / (high - low) if high > low else 1.0)


class Durations:
    """The models of all kinds of work, learned from intervals: running at one poll, finished at the next.

    `usually` returns the catalogue's guess, in seconds. It counts for less with each job that is seen.
    """

    def __init__(self, usually: Callable[[Work], float]) -> None:
        self._usually = usually
        self._seen: dict[Work, deque[tuple[float, float]]] = {}
        self._models: dict[Work, Model] = {}

    def learn(self, work: Work, low: float, high: float) -> None:
        """Learn that a job was running at the age of `low` seconds, and finished at `high`."""
        self._seen.setdefault(work, deque(maxlen=REMEMBERED)).append((low, max(low, high)))
        self._models.pop(work, None)

    def known(self, work: Work) -> bool:
        """Return whether enough such jobs were seen to tell people how long they take."""
        return len(self._seen.get(work, ())) >= TOLD_FROM

    def model(self, work: Work) -> Model:
        """Return how long such jobs take, as far as is known."""
        if work not in self._models:
            self._models[work] = fit_model(self._usually(work), self._seen.get(work, ()))
        return self._models[work]


@lru_cache(maxsize=256)  # after a restart, it is the same for thousands of jobs
def _worth_from(model: Model, since: Glance, soonest: float, latest: float, price: float) -> float:
    """Return the age between `soonest` and `latest` at which a poll is worth `price` unseen seconds."""
    width = (latest - soonest) / 1024
    return soonest + width * bisect_left(
        range(1024), price, key=lambda n: model.unseen(since, soonest + n * width)[1]
    )


def fit_model(guess: float, seen: Collection[tuple[float, float]]) -> Model:
    """Return the model for a guess (the median, in seconds) and the intervals in which jobs ended."""
    masses = before = _guess_masses(guess, GUESS_WEIGHT / (1.0 + len(seen) / GUESS_FADES))
    spans = [range(_cell(low), _cell(high) + 1) for low, high in seen]
    # Where it ended within a long interval is told by the others: each is shared out anew in each round.
    for _ in range(ROUNDS if spans else 0):
        counts = [0.0] * CELLS
        for span in spans:
            total = sum(masses[span.start : span.stop])
            for cell in span:
                counts[cell] += masses[cell] / total
        masses = [one + more for one, more in zip(before, _smooth(counts, len(seen)), strict=True)]
    return Model(masses)


@lru_cache(maxsize=64)
def _guess_masses(guess: float, weight: float) -> Sequence[float]:
    body, tail = NormalDist(log(guess), GUESS_SPREAD), NormalDist(log(guess), TAIL_SPREAD)
    below = [0.0, *(weight * body.cdf(at) + TAIL_WEIGHT * tail.cdf(at) for at in map(log, _EDGES[1:]))]
    return [high - low + 1e-9 for low, high in pairwise(below)]  # nothing is impossible


def _smooth(counts: Sequence[float], number: int) -> list[float]:
    """Smooth by Silverman's rule; the guess's spread counts too while there are few observations."""
    so_far, counted = list(accumulate(counts)), [(cell, count) for cell, count in enumerate(counts) if count]
    mean = sum(count * cell for cell, count in counted) / number
    square = sum(count * (STEP * (cell - mean)) ** 2 for cell, count in counted)
    deviation = ((square + GUESS_WEIGHT * GUESS_SPREAD**2) / (number + GUESS_WEIGHT)) ** 0.5
    if number >= 8:
        quartiles = bisect_left(so_far, 0.75 * number) - bisect_left(so_far, 0.25 * number) + 1
        deviation = min(deviation, STEP * quartiles / 1.34)
    width = max(0.05, 0.9 * deviation * number**-0.2)
    reach = int(3 * width / STEP) + 1
    kernel = [exp(-0.5 * (n * STEP / width) ** 2) for n in range(-reach, reach + 1)]
    scale, smooth = sum(kernel), [0.0] * CELLS
    for cell, count in counted:
        for n, part in enumerate(kernel, cell - reach):
            smooth[min(max(n, 0), CELLS - 1)] += count * part / scale
    return smooth


def _cell(age: float) -> int:
    return 0 if age < FIRST else min(int((log(age) - _LOG_FIRST) / STEP) + 1, CELLS - 1)


class Step(StrEnum):
    """An operation for a job: one request, or several that belong together."""

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
    work: Work
    not_before: float
    begun: bool  # its photo has been uploaded: its turn is not over
    held: bool  # what stopped it stops all jobs of the key: they are tried one at a time
    price: str | None  # names an unknown price: of the jobs with the same one, a single one goes first


@dataclass(frozen=True, slots=True)
class Running:
    """A job that Studii works on, and when it was submitted (by the monotonic clock)."""

    id: str
    submitted: float
    work: Work
    not_before: float = 0.0  # not polled until then, because its key was refused


@dataclass(slots=True)
class Watch:
    """A running job between two polls. `since`: at the last poll that found it running."""

    job: Running
    model: Model
    since: Glance
    due: float = 0.0
    sent: float | None = None  # when the last poll was sent

    def age(self, now: float) -> float:
        """Return the seconds since the job was submitted."""
        return max(0.0, now - self.job.submitted)


@dataclass(frozen=True, slots=True)
class Send:
    """Send this now."""

    job_id: str
    step: Step


class Lane:
    """The jobs of one key, and what to send next for them. Members take turns."""

    def __init__(self, rate: RateWindow, durations: Durations, tuning: Tuning) -> None:
        self.rate, self.durations, self.tuning = rate, durations, tuning
        self.waiting: dict[str, Waiting] = {}
        self.running: dict[str, Watch] = {}
        self.in_flight: dict[str, tuple[Step, float]] = {}
        self._turns: dict[int, int] = {}  # user -> number of the last turn
        self._starts: deque[float] = deque()  # when uploads and submissions of the last period were sent
        self._tokens, self._filled_at = tuning.poll_burst, 0.0
        self._order: list[Waiting] | None = None  # until a job or a turn changes: all in a crowd ask for it

    def enter(self, job: Waiting | Running, now: float) -> None:
        """Take over a job as the database has it, unless a request for it is in flight."""
        if job.id in self.in_flight:
            return
        watch = self.running.get(job.id)
        if watch is None or isinstance(job, Waiting):
            self.put(job, job.id, now)
        elif job.not_before > (watch.sent or 0.0):  # its refused key may be tried sooner than was said
            last = now if watch.sent is None else watch.sent
            watch.due = min(watch.due, max(job.not_before, last + self.tuning.first_poll))

    def put(self, job: Waiting | Running | None, job_id: str, now: float, again: float | None = None) -> None:
        """Take over a job after a request, or forget it if it is None.

        `again`: seconds until a running job is polled again, or a waiting one is tried again.
        """
        self.waiting.pop(job_id, None)
        watch = self.running.get(job_id)
        if not isinstance(job, Running):
            self.running.pop(job_id, None)
            if job is not None:
                self.waiting[job_id] = job
                if again is not None and job.price is not None:
                    # It waits for the price, as all with the same one do.
                    for one in [one for one in self.waiting.values() if one.price == job.price]:
                        until = max(one.not_before, job.not_before)
                        self.waiting[one.id] = replace(one, not_before=until)
        elif watch is None:
            model = self.durations.model(job.work)
            watch = self.running[job_id] = Watch(job, model, model.glance(0.0))
            watch.due = max(self.poll_at(watch, now), job.not_before)
        elif again is not None:
            watch.due = now + max(again, self.tuning.first_poll)
        else:
            # The age by the monotonic clock is kept: the one in the database depends on the wall clock.
            watch.model = self.durations.model(watch.job.work)
            watch.since = watch.model.glance(watch.age(now if watch.sent is None else watch.sent))
            watch.due = max(now, self.poll_at(watch, now))
        self._changed()

    def decide(self, now: float) -> Send | float | None:
        """Return what to send at `now`, or when to decide again; None: after the next event.

        Call `begin` for a `Send`.
        """
        if len(self.in_flight) >= self.tuning.requests_in_flight or not (self.waiting or self.running):
            return None
        free_at = self.rate.free_at(now)
        if free_at is None or free_at > now:
            return free_at
        poll, poll_at = self._next_poll(now)
        # It goes first if it has very probably ended.
        if poll is not None and poll.model.unseen(poll.since, poll.age(now))[0] >= 0.8:
            return Send(poll.job.id, Step.POLL)
        start, start_at = self._next_start(now)
        if start is not None:
            return Send(start.id, start.step)
        if poll is not None:
            return Send(poll.job.id, Step.POLL)
        return min((at for at in (start_at, poll_at) if at is not None), default=None)

    def begin(self, send: Send, now: float) -> None:
        """Record that the request is about to be sent."""
        self.in_flight[send.job_id] = (send.step, now)
        self.rate.begin(now)
        if send.step is Step.POLL:
            self._tokens -= 1.0
            self.running[send.job_id].sent = now
            return
        self._starts.append(now)
        if not (waiting := self.waiting[send.job_id]).begun:
            self._turns[waiting.user_id] = max(self._turns.values(), default=0) + 1
        self._changed()

    def end(self, job_id: str, now: float, *, sent: bool) -> None:
        """Record that the request has ended; `sent` is False if it never left this process."""
        step, began = self.in_flight.pop(job_id)
        self.rate.end(began, now, sent=sent)
        if not sent and step is not Step.POLL and self._starts:
            self._starts.pop()
        self._changed()

    def order(self) -> Sequence[Waiting]:
        """Return the waiting jobs in order: the first one of each member, then the second of each, …"""
        if self._order is None:
            taken, ranked = Counter[int](), list[tuple[tuple[bool, int, int, float, str], Waiting]]()
            for one in sorted(self.waiting.values(), key=lambda one: (one.since, one.id)):
                behind = not one.begun and one.id not in self.in_flight
                rank = (
                    behind,
                    taken[one.user_id] * behind,
                    self._turns.get(one.user_id, 0),
                    one.since,
                    one.id,
                )
                ranked.append((rank, one))
                taken[one.user_id] += behind
            self._order = [one for _, one in sorted(ranked, key=lambda entry: entry[0])]
        return self._order

    def place(self, job_id: str) -> tuple[int | None, bool]:
        """Return the position of a waiting job in the queue, from 1, or None if it does not wait, and whether
        another one goes before it to learn the price of both."""
        prices = set[str]()
        for number, one in enumerate(self.order(), 1):
            if one.id == job_id:
                return number, one.price in prices
            prices |= {one.price} - {None}
        return None, False

    def copy(self) -> "Lane":
        """Return an independent copy that decides as this lane would, and may be used in another thread."""
        jobs = [*self.waiting.values(), *(watch.job for watch in self.running.values())]
        shared = [self.tuning, *jobs, *map(self.durations.model, self.works())]
        return deepcopy(self, {id(one): one for one in shared})

    def works(self) -> set[Work]:
        """Return the kinds of the lane's jobs."""
        return {one.work for one in (*self.waiting.values(), *(watch.job for watch in self.running.values()))}

    def poll_at(self, watch: Watch, now: float) -> float:
        """Return when a poll is worth its request, within the bounds: what was learned may be wrong."""
        tuning, submitted, age = self.tuning, watch.job.submitted, watch.since.age
        if age >= tuning.hourly_after:
            return submitted + age + HOUR
        soonest = age + max(tuning.first_poll, 0.01 * age)  # no one notices a wait of a hundredth
        latest = max(soonest, age + min(max(tuning.poll_share * age, tuning.poll_bound), 5 * MINUTE))
        # The expected unseen seconds that are worth a poll: more in a lane that needs its requests. They need
        # not be saved while a third is left over.
        price = max(0.002, 0.06 * (self.rate.used(now) / self.rate.usable) ** 6)
        return submitted + _worth_from(watch.model, watch.since, soonest, latest, price)

    def most_useful(self, due: Iterable[Watch], now: float) -> Watch:
        """Return the job to poll: the one that is expected to have been finished for longest."""
        return max(due, key=lambda watch: watch.model.unseen(watch.since, watch.age(now))[1])

    def _changed(self) -> None:
        self._order = None
        if not self.waiting:
            self._turns.clear()

    def _next_poll(self, now: float) -> tuple[Watch | None, float | None]:
        """Return the job to poll now, or the time at which there may be one."""
        idle = [watch for job_id, watch in self.running.items() if job_id not in self.in_flight]
        due = [watch for watch in idle if watch.due <= now]
        if not due:
            return None, min((watch.due for watch in idle), default=None)
        # Polls are paced over the requests that uploads and submissions leave; a few are saved up.
        usable = self.rate.usable
        pace = max(usable - self._recent_starts(now), LEFT_FOR_POLLS * usable) / self.tuning.rate_period
        self._tokens = min(self.tuning.poll_burst, self._tokens + (now - self._filled_at) * pace)
        self._filled_at = now
        if self._tokens < 1.0 - 1e-9:
            return None, now + (1.0 - self._tokens) / pace
        return self.most_useful(due, now), None

    def _next_start(self, now: float) -> tuple[Waiting | None, float | None]:
        """Return the job to upload or submit now, or the time at which there may be one."""
        sending = [self.waiting[job_id] for job_id in self.in_flight if job_id in self.waiting]
        held = [one.not_before for one in self.waiting.values() if one.held]
        starting = sum(step is not Step.POLL for step, _ in self.in_flight.values())
        if starting >= (1 if held else self.tuning.starts_in_flight):
            return None, None
        asked = {one.price for one in sending} - {None}
        idle = [
            one for one in self.waiting.values() if one.id not in self.in_flight and one.price not in asked
        ]
        # What stops one job would stop the others as well: all wait until the first is tried again.
        allowed_at, ready = min(held, default=now), [one for one in idle if one.not_before <= now]
        if not ready or allowed_at > now:
            return None, max(min(one.not_before for one in idle), allowed_at) if idle else None
        start = min(
            ready, key=lambda one: (not one.begun, self._turns.get(one.user_id, 0), one.since, one.id)
        )
        if not start.begun and (sending or self.running) and not self._can_carry([*sending, start], now):
            return None, None
        share = max(1, self.rate.usable - max(1, int(self.rate.usable * LEFT_FOR_POLLS)))
        if self._recent_starts(now) < share:
            return start, None
        return None, self._starts[-share] + self.tuning.rate_period

    def _can_carry(self, more: Iterable[Waiting], now: float) -> bool:
        """Return whether these jobs can run too while all are polled often enough."""
        lasts = [max(self._lasts(watch.job.work), watch.age(now)) for watch in self.running.values()]
        lasts += [self._lasts(one.work) for one in more]
        burden = sum(self.tuning.decent_requests / max(seconds, self.tuning.first_poll) for seconds in lasts)
        return burden <= self.rate.usable / self.tuning.rate_period

    def _lasts(self, work: Work) -> float:
        mean = self.durations.model(work).mean
        # Too few at once cost a crowd more than late polls, and the first that are seen end the doubt.
        return mean if self.durations.known(work) else GUESS_MAY_BE_SHORT * mean

    def _recent_starts(self, now: float) -> int:
        while self._starts and self._starts[0] + self.tuning.rate_period <= now:
            self._starts.popleft()
        return len(self._starts)


def forecast(lane: Lane, now: float) -> dict[str, float]:
    """Return when each waiting job will be submitted, as far as that can be said. Pass a copy: it is changed.

    The lane is simulated by itself: answers take a fixed time, and the durations of jobs are spread evenly
    over what was learned, because with the mean alone all that began together would end together. Nothing is
    said before some jobs of each kind were seen.
    """
    queue, starts, ends = list(lane.order()), dict[str, float](), dict[str, float]()
    if not all(map(lane.durations.known, lane.works())):
        return starts
    began, answers = now, deque((now + ANSWER, job_id) for job_id in lane.in_flight)
    for _ in range(MAX_DECISIONS):
        decision = lane.decide(now)
        if isinstance(decision, Send):
            lane.begin(decision, now)
            answers.append((now + ANSWER, decision.job_id))
        elif len(starts) == len(queue):
            break
        elif answers and (decision is None or answers[0][0] <= decision):
            now, job_id = answers.popleft()
            _answer(lane, job_id, now, starts, ends)
        elif decision is not None:
            now = decision
        else:
            break
    left = [one.id for one in queue if one.id not in starts]
    if starts and left:  # those that were not reached are predicted at the pace of the others
        last = max(starts.values())
        pace = max(now - began, last - began) / len(starts)
        starts |= {job_id: last + pace * number for number, job_id in enumerate(left, 1)}
    return starts


def _answer(lane: Lane, job_id: str, now: float, starts: dict[str, float], ends: dict[str, float]) -> None:
    waiting, watch = lane.waiting.get(job_id), lane.running.get(job_id)
    job: Waiting | Running | None = None
    if watch is not None:
        if job_id not in ends:
            share = watch.since.ended + (0.5 + len(ends) * _GOLDEN) % 1.0 * (1.0 - watch.since.ended)
            ends[job_id] = watch.job.submitted + max(watch.since.age, watch.model.quantile(share))
        job = None if ends[job_id] <= now - ANSWER / 2 else watch.job
    elif waiting is not None and waiting.step is Step.UPLOAD:
        job = replace(waiting, step=Step.SUBMIT, begun=True)
    elif waiting is not None:
        starts[job_id], job = now, Running(job_id, now, waiting.work)
    lane.end(job_id, now, sent=True)
    lane.put(job, job_id, now)
