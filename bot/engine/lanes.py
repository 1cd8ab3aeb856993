"""Run a lane for each key that has jobs: it hears of them from commits, and sends what it decides on."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from bot import posts
from bot.aio.tasks import (
    OPERATION_TIMEOUT,
    TRANSFER_TIMEOUT,
    DrainingGroup,
    ErrorLog,
    WakeUp,
    rest_after,
    run_forever,
    shielded,
)
from bot.catalog import USUAL_SECONDS, Catalog
from bot.credits.prices import price_name
from bot.engine.context import EngineContext
from bot.engine.lane import (
    MIN_FORECAST_SECONDS,
    Durations,
    Lane,
    Running,
    Send,
    Step,
    Waiting,
    Work,
    forecast,
)
from bot.engine.rate import LOWEST, RateWindow
from bot.engine.requests import Requests, recover
from bot.engine.tuning import DAY
from bot.jobs import holds, lanes as lane_rows, queries
from bot.jobs.models import FailureCode, Job, JobState, Progress
from bot.jobs.submission import Done, needs_upload
from bot.servers.keys import StudiiKey, of_lanes
from bot.servers.notices import NoticeKind
from bot.studii import JobReport, RateLimited

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Rate:
    """A key's plan, in requests a minute, and when it was chosen; and what is stored of its requests."""

    plan: int
    chosen_at: datetime
    until: Sequence[float]
    limits: lane_rows.LaneLimits | None


_Needing = Sequence[tuple[Job, StudiiKey | None]]  # jobs that need requests, with the keys of those


class _Line:
    """A lane at work."""

    def __init__(self, name: str, window: RateWindow, durations: Durations, context: EngineContext) -> None:
        self.name = name
        self.lane = Lane(window, durations, context.tuning)
        self.wake_up = WakeUp()
        self.errors = ErrorLog(f"a request of lane {name[:8]}", noun="job")
        self.starts: Mapping[str, float] = {}  # when jobs will probably be sent, as was last forecast
        self.starts_until = 0.0


class Lanes:
    """Hands each lane its jobs, as the database has them.

    A commit names the jobs that it has changed, which are read with their keys. All are read at the start,
    when a commit says so, and now and then. While a request for a job is in flight, its lane knows more than
    what was read: it is read again when that has ended.
    """

    def __init__(self, context: EngineContext, catalog: Catalog) -> None:
        self._context, self._catalog = context, catalog
        self._db, self._clock, self._tuning = context.db, context.clock, context.tuning
        self._requests = Requests(context, catalog)
        self.durations = Durations(partial(_usually, catalog))
        self._lines: dict[str, _Line] = {}
        self._line_of: dict[str, _Line] = {}  # by job
        self._changed: set[str] = set()  # jobs to be read
        self._moved: set[str] = set()  # jobs whose requests have ended since a reading has begun
        self._next_read = 0.0  # when all jobs are read
        self._wake_up = WakeUp()
        self._group: DrainingGroup
        self._forecasting, self._next_forecast = asyncio.Lock(), 0.0
        self._errors = ErrorLog("handing it to its lane", noun="job")

    async def run(self) -> None:
        """Run until cancelled.

        A job that is being submitted may cost credits: its answer is awaited and stored before that.
        """
        async with DrainingGroup(self._tuning.drain) as self._group:
            try:
                await run_forever("handing out jobs to lanes", self._wake_up, self._turn)
            finally:
                # Where another process has taken over, no one waits for this one's end, and it alone hears
                # what Studii answers to its requests.
                if self._context.member.was_lost():
                    self._group.patience = self._tuning.answer_bound

    def notify(self, jobs: Iterable[Job]) -> None:
        """Read what commits have changed, but for what lanes' own requests have."""
        for job in jobs:
            needs = job.state in queries.ON_LANES and job.output_url is None
            if (job.id in self._line_of or needs) and not self._is_in_flight(job.id):
                self._changed.add(job.id)
                self._wake_up.set()

    def reread(self, seconds: float = 0.0) -> None:
        """Read all jobs from the database again, after `seconds`."""
        self._next_read = min(self._next_read, self._clock.monotonic() + seconds)
        self._wake_up.set()

    async def progress(self, job_id: str) -> Progress:
        """Return a job's position in the queue, and when it will probably be sent or end, as far as known."""
        if (line := self._line_of.get(job_id)) is None:
            return Progress()
        starts_in = await self._starts_in(line, job_id)
        watch, ends_in = line.lane.running.get(job_id), None
        if watch is not None and self.durations.known(watch.job.work):
            ends_in = watch.model.median - watch.age(self._clock.monotonic())
        late, now = ends_in is not None and ends_in <= 0, self._clock.now()
        position, waits_for_price = line.lane.place(job_id)
        return Progress(
            position,
            None if starts_in is None else now + timedelta(seconds=starts_in),
            None if ends_in is None or late else now + timedelta(seconds=ends_in),
            late=late,
            waits_for_price=waits_for_price,
        )

    def overdue(self) -> float:
        """Return by how many seconds the most overdue poll of all lanes is late."""
        now = self._clock.monotonic()
        watches = (watch for line in self._lines.values() for watch in line.lane.running.values())
        return max(0.0, now - min((watch.due for watch in watches), default=now))

    def occupancy(self) -> dict[str, float]:
        """Return the share of its requests that each lane has in use."""
        now = self._clock.monotonic()
        return {
            name[:8]: line.lane.rate.used(now) / line.lane.rate.usable for name, line in self._lines.items()
        }

    async def ask(self, key: StudiiKey, job: Job) -> JobReport:
        """GET a job that is not polled any more. Raises what the client raises, as if there is no request
        left: then it was not sent."""
        rates = await self._db.read(_rates, [key.lane], {key.id})
        self._open(key.lane, rates[key.lane])
        line = self._lines[key.lane]
        try:
            return await self._requests.ask(job, key, line.lane.rate)
        except RateLimited as error:
            await self._learn(line, error)
            raise

    # What the database has

    async def _turn(self) -> float:
        if self._changed:  # those whose jobs these are have their first answers before
            await asyncio.sleep(self._tuning.answers_first * min(5, 1 + len(self._changed) / 25))
        began = self._clock.monotonic()
        everything = began >= self._next_read
        asked = {one for one in self._changed if not self._is_in_flight(one)}
        self._changed -= asked
        if everything:
            self._next_read = began + self._tuning.reread_every
        if everything or asked:
            try:
                with self._context.liveness.operation("handing out jobs to lanes", progress=False):
                    self._moved.clear()
                    these = None if everything else asked
                    found, rates = await self._db.read(_look, these, frozenset(self._lines))
                    await self._hand_out(found, rates, self._line_of if everything else asked)
            except BaseException:
                self.reread()
                raise
        await rest_after(self._clock.monotonic() - began, self._tuning.reread_every)
        return 0.0 if self._changed & self._moved else self._next_read - self._clock.monotonic()

    async def _hand_out(self, found: _Needing, rates: Mapping[str, _Rate], asked: Iterable[str]) -> None:
        """Hand lanes their jobs, and take the others of those asked for from them."""
        lost, keyless = list[str](), list[str]()
        gone = {*asked}
        # These may have moved on since they were read.
        again = {
            one
            for one in gone.union(job.id for job, _ in found)
            if one in self._moved or self._is_in_flight(one)
        }
        for name, rate in rates.items():
            self._open(name, rate)
        for job, key in found:
            if job.id in again:
                continue
            if self._is_stranded(job, key):
                lost.append(job.id)
            elif key is None:
                keyless.append(job.id)
            elif job.state is not JobState.SUBMITTING:
                gone.discard(job.id)
                self._enter(job, key)
        for job_id in (gone - again) & self._line_of.keys():
            self._forget(job_id)
        self._changed |= again
        if keyless or lost:
            await self._db.write(self._settle, keyless, lost, self._clock.now())

    def _is_in_flight(self, job_id: str) -> bool:
        line = self._line_of.get(job_id)
        return line is not None and job_id in line.lane.in_flight

    def _is_stranded(self, job: Job, key: StudiiKey | None) -> bool:
        """Return whether only a request in flight explains the job's state, and there is none: its process
        has ended, or its step met an unexpected error."""
        if job.state is JobState.UPLOADING:
            return key is None or needs_upload(job, key.id)
        member = self._context.member
        # Another process may have sent it up to the moment when its lease ended.
        over = job.epoch == member.epoch or member.held_for(job.guild_id) > self._tuning.answer_bound
        return job.state is JobState.SUBMITTING and over

    def _settle(self, session: Session, keyless: Sequence[str], lost: Sequence[str], at: datetime) -> None:
        holds.without_key(session, keyless, at - timedelta(seconds=self._tuning.held_bound), at)
        # A step is known as in flight before it changes the row, until after: so this is exact.
        recover(session, self._tuning, [one for one in lost if not self._is_in_flight(one)], at)

    def _enter(self, job: Job, key: StudiiKey) -> None:
        line = self._lines[key.lane]
        if self._line_of.get(job.id, line) is not line:
            self._forget(job.id)
        try:
            if (entry := self._entry(job, key.id)) is not None:
                self._line_of[job.id] = line
                line.lane.enter(entry, self._clock.monotonic())
                line.wake_up.set()
            self._errors.succeeded(job.id)
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            self.reread(self._errors.failed(error, job.id))

    def _forget(self, job_id: str) -> None:
        line = self._line_of.pop(job_id)
        line.lane.put(None, job_id, self._clock.monotonic())
        line.wake_up.set()

    def _open(self, name: str, rate: _Rate) -> None:
        """Begin a lane, or tell it its plan."""
        now, at = self._clock.monotonic(), self._clock.now()
        age = (at - rate.chosen_at).total_seconds()
        chosen_at = now - (age if age >= 0 else DAY)  # else the wall clock was put back since
        if (line := self._lines.get(name)) is None:
            window = RateWindow(rate.plan, self._tuning, name)
            window.restore([until - at.timestamp() + now for until in rate.until], now)
            if (limits := rate.limits) is not None:
                times = (limits.blocked_until, limits.odd_at, limits.lowered_until)
                blocked, odd, lowered = (now + (moment - at).total_seconds() for moment in times)
                window.restore_limits(blocked, odd, lowered, now)
            line = self._lines[name] = _Line(name, window, self.durations, self._context)
            what, sending = f"lane {name[:8]}", partial(self._send, line)
            self._group.create_task(run_forever(what, line.wake_up, sending), name=what, at_once=True)
        line.lane.rate.set_plan(rate.plan, chosen_at)

    def _entry(self, job: Job, key_id: int | None, again: float = 0.0) -> Waiting | Running | None:
        """Return a lane's entry of a job, by the clock that never jumps, or None if it needs no request."""
        now, tool = self._clock.monotonic(), self._catalog.tools.get(job.tool)
        work = Work(job.tool, "image" if tool is None else tool.output_kind(job.inputs))

        def since(moment: datetime | None) -> float:
            return 0.0 if moment is None else (self._clock.now() - moment).total_seconds()

        # Bounded, for the case that the wall clock was put back.
        longest, until = max(self._tuning.key_retries), job.waits_until(key_id)
        if job.state is JobState.RUNNING:
            submitted = now - max(0.0, since(job.submitted_at))
            not_before = 0.0 if job.not_before is None else now + min(-since(job.not_before), longest)
            if job.output_url is not None:
                return None
            return Running(job.id, submitted, work, not_before)
        if job.state not in (JobState.WAITING, JobState.UPLOADING):
            return None
        return Waiting(
            job.id,
            job.user_id,
            job.created_at.timestamp(),
            Step.UPLOAD if needs_upload(job, key_id) else Step.SUBMIT,
            work,
            now + max(again, min(-since(until), longest)),
            begun=job.state is JobState.UPLOADING,
            held=job.held is not None,
            price=None if job.price_learned else price_name(self._catalog, job),
        )

    # Sending

    async def _send(self, line: _Line) -> float | None:
        while True:
            now = self._clock.monotonic()
            decision = line.lane.decide(now)
            if not isinstance(decision, Send):
                return None if decision is None else decision - now
            line.lane.begin(decision, now)
            name, free = f"{decision.step} {decision.job_id}", decision.step is not Step.SUBMIT
            self._group.create_task(self._watched(line, decision, name), name=name, at_once=free)

    async def _watched(self, line: _Line, send: Send, name: str) -> None:
        patience = TRANSFER_TIMEOUT if send.step is Step.UPLOAD else OPERATION_TIMEOUT
        try:
            with self._context.liveness.operation(name, patience):
                await self._request(line, send)
            line.errors.succeeded(send.job_id)
        except Exception as error:  # noqa: BLE001 - logged; an error about one job must not end the lane
            if send.job_id in self._line_of:  # the database tells the job's state, after a pause
                self._forget(send.job_id)
            self.reread(line.errors.failed(error, send.job_id))
        line.wake_up.set()
        if send.job_id in self._changed:
            self._wake_up.set()

    async def _request(self, line: _Line, send: Send) -> None:
        """Do what the lane has decided on, and take over what came of it."""
        job_id, lane, done = send.job_id, line.lane, Done(None)
        watch = lane.running.get(job_id)
        try:
            if watch is not None:
                done = await self._requests.poll(job_id, line.lane.rate, watch.age(self._clock.monotonic()))
            else:
                step = self._requests.upload if send.step is Step.UPLOAD else self._requests.submit
                done = await step(job_id, line.lane.rate)
        finally:
            now = self._clock.monotonic()
            lane.end(job_id, now, sent=done.sent)
            self._moved.add(job_id)
        job = done.job
        entry = None if job is None else self._entry(job, job.key_id, done.again or 0.0)
        lane.put(entry, job_id, now, done.again)
        if entry is None:
            self._line_of.pop(job_id, None)
        if job is None:  # the database tells how it is
            self._changed.add(job_id)
        elif watch is not None and (job.output_url is not None or job.failure is FailureCode.STUDII):
            duration = watch.since.age, watch.age(now)
            self.durations.learn(watch.job.work, *duration)
            await self._keep(line, lane_rows.learn_duration, *watch.job.work, *duration)
        if done.limited is not None:
            await self._learn(line, done.limited)

    # What was learned

    async def _learn(self, line: _Line, limited: RateLimited) -> None:
        """Learn from a 429. It applies immediately, and is stored for the next start. If that fails, it is
        logged, and known until the process ends."""
        _log.warning("Studii answered 429 to lane %s", line.name[:8])
        now, at, window = self._clock.monotonic(), self._clock.now(), line.lane.rate
        used, doubted = window.used(now), window.limited(now, limited.retry_after)
        times = (window.blocked_until, window.odd_at, window.lowered_until)
        shown = [at + timedelta(seconds=max(moment - now, -DAY)) for moment in times]
        await self._keep(line, lane_rows.keep_limits, line.name, *shown)
        if doubted:
            await self._keep(line, _tell_doubt, line.name, used, at)

    async def _keep(self, line: _Line, store: Callable[..., None], *what: Any) -> None:
        try:
            await shielded(self._db.write(store, *what))
        except Exception as error:  # noqa: BLE001 - logged; all else goes on
            _log.warning("What lane %s has learned could not be stored: %r", line.name[:8], error)

    async def _starts_in(self, line: _Line, job_id: str) -> float | None:
        """Return the seconds until a waiting job will probably have been submitted.

        None if that is unknown or only a few seconds away. Forecasts are made in a thread, one at a time, and
        with pauses, to leave the machine to the work.
        """
        if job_id not in line.lane.waiting:
            return None
        async with self._forecasting:
            began = self._clock.monotonic()
            is_new = bool(line.starts) and job_id not in line.starts
            if began >= self._next_forecast and (is_new or began >= line.starts_until):
                line.starts = await asyncio.to_thread(forecast, line.lane.copy(), began)
                now = self._clock.monotonic()
                self._next_forecast = now + 2 * (now - began)
                line.starts_until = now + max(1.0, 10 * (now - began))
        now = self._clock.monotonic()
        wait = line.starts.get(job_id, now) - now
        return wait if wait >= MIN_FORECAST_SECONDS else None


def _look(
    session: Session, asked: Collection[str] | None, lines: Collection[str]
) -> tuple[_Needing, Mapping[str, _Rate]]:
    """Find those of the jobs that need requests, or all that do, and the rates of lanes: of new ones alone
    unless all jobs are wanted."""
    jobs = queries.on_lanes(session, asked)
    found = {key.id: key for _, key in jobs if key is not None}
    wanted = {key.lane for key in found.values()}
    wanted = wanted | set(lines) if asked is None else wanted - set(lines)  # also those that rest
    return jobs, _rates(session, wanted, found.keys()) if wanted else {}


def _rates(session: Session, lanes: Collection[str], used: Collection[int]) -> dict[str, _Rate]:
    """Return the rates of lanes. A lane's plan is the smallest that a server with its key has chosen."""
    plans: dict[str, list[StudiiKey]] = {lane: [] for lane in lanes}
    for key in of_lanes(session, lanes):
        if key.retired_at is None or key.id in used:
            plans[key.lane].append(key)
    # Where there are several processes, those of the others are counted with each step.
    alone, rates = session.info["shards"].all, dict[str, _Rate]()
    until, limits = lane_rows.windows(session, lanes) if alone else {}, lane_rows.limits_of(session, lanes)
    for lane, some in plans.items():
        if some:
            smallest = min(key.plan.requests_per_minute for key in some)
            chosen_at = max(key.plan_chosen_at for key in some)
            rates[lane] = _Rate(smallest, chosen_at, until.get(lane, ()), limits.get(lane))
    return rates


def _tell_doubt(session: Session, lane: str, used: int, at: datetime) -> None:
    """Warn the admins of all servers with this key, once, that the plan seems wrong.

    `used`: the requests of a minute after which Studii refused more.
    """
    for key in of_lanes(session, [lane]):
        if key.retired_at is None:
            limit = key.plan.requests_per_minute
            seen = {"used": used, "limit": limit, "lowered": min(limit, LOWEST)}
            told = {"masked": key.masked, "plan": key.plan.value, **seen}
            posts.want(session, key.guild_id, NoticeKind.PLAN_DOUBTED, str(key.id), at=at, details=told)


def _usually(catalog: Catalog, work: Work) -> float:
    """Return the catalogue's guess, in seconds; also for jobs of a tool that it no longer has."""
    kind = "video" if work.output_kind == "video" else "image"
    tool = catalog.tools.get(work.tool)
    return USUAL_SECONDS[kind] if tool is None else tool.usually_takes(kind)
