"""Runs one lane: sends what it decides on, a bounded number of requests at once."""

from collections.abc import Callable, Collection
from datetime import timedelta

from bot.aio.liveness import OPERATION_TIMEOUT, TRANSFER_TIMEOUT
from bot.aio.loops import WakeUp, run_forever
from bot.aio.retry import ErrorLog
from bot.aio.shield import DrainingGroup
from bot.engine.context import EngineContext
from bot.engine.lane import Lane, Running, Send, Step, Waiting
from bot.engine.lanes.duration_samples import Samples
from bot.engine.lanes.estimates import Forecasts
from bot.engine.lanes.job_entries import JobEntries
from bot.engine.lanes.plan_check import ChosenPlan
from bot.engine.lanes.poll import Poller
from bot.engine.lanes.rate_state import RateState
from bot.engine.lanes.submit import Submitter
from bot.jobs.models import FailureCode, Job, Progress


class LaneRunner:
    """The task of a lane (`lane` is what it decides by), and the tasks of its requests.

    `gone` is called when the lane has been idle for a while and the runner ends.
    """

    def __init__(
        self,
        rate: RateState,
        context: EngineContext,
        submitter: Submitter,
        poller: Poller,
        entries: JobEntries,
        samples: Samples,
        forecasts: Forecasts,
        *,
        gone: Callable[[str], None],
    ) -> None:
        self._name = rate.lane
        self._rate = rate
        self._context = context
        self._submitter = submitter
        self._poller = poller
        self._gone = gone
        self._wake_up = WakeUp()
        self._entries = entries
        self._samples = samples
        self.lane = Lane(rate.window, samples.durations, context.tuning)
        self._forecasts = forecasts
        self._idle_since: float | None = None
        self._errors = ErrorLog(f"a request of lane {self._name[:8]}", noun="job")

    def sync(
        self, waiting: Collection[Waiting], running: Collection[Running], plan: ChosenPlan | None
    ) -> None:
        """Take over the jobs of the database, and the plan unless it is None."""
        if plan is not None:
            self._rate.set_plan(plan)
        self.lane.sync(waiting, running, self._context.clock.monotonic())
        self._wake_up.set()

    def take(self, job_id: str, entry: Waiting | None) -> None:
        """Take over a job that has changed, or forget it if it is None."""
        self.lane.put(entry, job_id, self._context.clock.monotonic())
        self._wake_up.set()

    def has(self, job_id: str) -> bool:
        """Return whether the job waits or runs in this lane, or a request for it is in flight."""
        lane = self.lane
        return job_id in lane.waiting or job_id in lane.running or job_id in lane.in_flight

    async def progress(self, job_id: str) -> Progress:
        """Return a job's position in the queue, and when it will probably be sent or end, as far as known."""
        starts_in = await self._forecasts.starts_in(self.lane, job_id)
        watch, ends_in = self.lane.running.get(job_id), None
        if watch is not None and self._samples.durations.known(watch.job.work):
            ends_in = watch.model.median - watch.age(self._context.clock.monotonic())
        late = ends_in is not None and ends_in <= 0
        now = self._context.clock.now()
        position, waits_for_price = self.lane.place(job_id)
        return Progress(
            position,
            None if starts_in is None else now + timedelta(seconds=starts_in),
            None if ends_in is None or late else now + timedelta(seconds=ends_in),
            late=late,
            waits_for_price=waits_for_price,
        )

    async def run(self) -> None:
        """Run until cancelled, or until the lane has been idle for a while.

        A job that is being submitted may cost credits: its answer is awaited and stored before that.
        """
        what = f"lane {self._name[:8]}"
        async with DrainingGroup(self._context.tuning.drain) as group:
            await run_forever(what, self._wake_up, lambda: self._turn(group), until=self._leave_if_idle)

    async def _turn(self, group: DrainingGroup) -> float | None:
        while True:
            now = self._context.clock.monotonic()
            decision = self.lane.decide(now)
            if not isinstance(decision, Send):
                break
            self.lane.begin(decision, now)
            free = decision.step is not Step.SUBMIT
            name = f"{decision.step} {decision.job_id}"
            group.create_task(self._watched(decision, name), name=name, at_once=free)
        if self._empty:
            self._idle_since = now if self._idle_since is None else self._idle_since
            return self._context.tuning.lane_rest
        self._idle_since = None
        return None if decision.until is None else decision.until - now

    async def _watched(self, send: Send, name: str) -> None:
        patience = TRANSFER_TIMEOUT if send.step is Step.UPLOAD else OPERATION_TIMEOUT
        with self._context.liveness.operation(name, patience) as outcome:
            outcome.failed = await self._request(send)

    async def _request(self, send: Send) -> bool:
        """Do what the lane has decided on, and take over what came of it.

        Return whether there was an unexpected error, which is logged.
        """
        job_id, sent = send.job_id, True
        try:
            try:
                match send.step:
                    case Step.UPLOAD:
                        result = await self._submitter.upload(job_id, self._rate)
                    case Step.SUBMIT:
                        result = await self._submitter.submit(job_id, self._rate)
                    case Step.POLL:
                        age = self.lane.running[job_id].age(self._context.clock.monotonic())
                        result = await self._poller.poll(job_id, self._rate, age)
                sent = result.sent
            finally:
                now = self._context.clock.monotonic()
                self.lane.end(job_id, now, sent=sent)
            watch = self.lane.running.get(job_id)
            self.lane.put(self._entries.after(result), job_id, now, result.again)
            self._wake_up.set()
            if watch is not None and has_ended(result.job):
                self._samples.add(watch.job.work, watch.since.age, watch.age(now))
            if result.sent:
                await self._rate.answered(result.limited)
        except Exception as error:  # noqa: BLE001 - logged; an error about one job must not end the lane
            self._context.reread()  # the database tells the job's state
            pause = self._errors.failed(error, job_id)
            self.lane.postpone(job_id, self._context.clock.monotonic() + pause)
            self._wake_up.set()
            return True
        self._errors.succeeded(job_id)
        return result.unexpected

    @property
    def _empty(self) -> bool:
        return not (self.lane.waiting or self.lane.running or self.lane.in_flight)

    def _leave_if_idle(self) -> bool:
        since = self._idle_since
        if since is None or not self._empty:
            return False
        if self._context.clock.monotonic() - since < self._context.tuning.lane_rest:
            return False
        self._gone(self._name)
        return True


def has_ended(job: Job | None) -> bool:
    """Return whether a poll has just found that Studii is done with a job, or that it failed there."""
    return job is not None and (job.output_url is not None or job.failure is FailureCode.STUDII)
