"""Hands each lane its jobs, as the database has them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from bot.aio.bounded import BoundedDict
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog
from bot.aio.shield import shielded
from bot.catalog import USUAL_SECONDS, Catalog
from bot.engine.context import EngineContext
from bot.engine.lane import Durations, Running, Waiting, Work
from bot.engine.lanes.duration_samples import Samples
from bot.engine.lanes.estimates import Forecasts
from bot.engine.lanes.job_entries import JobEntries
from bot.engine.lanes.plan_check import ChosenPlan
from bot.engine.lanes.poll import Poller
from bot.engine.lanes.rate_state import RateState, RateStates
from bot.engine.lanes.recovery import StrandedJobs
from bot.engine.lanes.runner import LaneRunner
from bot.engine.lanes.running_jobs import RunningJobs
from bot.engine.lanes.submit import Submitter
from bot.jobs import holds as key_holds, lanes as lane_rows, queries, transitions
from bot.jobs.models import FailureCode, Job, JobState, Progress
from bot.reasons import Reason, ReasonCode
from bot.servers import keys as server_keys
from bot.servers.keys import StudiiKey
from bot.storage import Changes

_NO_KEY_FOR_A_DAY = Reason(ReasonCode.NO_KEY_FOR_A_DAY)
MAX_KNOWN_SERVERS = 10_000  # whose current key is known
MAX_FOUND_JOBS = 2000  # whose lane is known


@dataclass(slots=True)
class _Share:
    """The jobs of one lane, as the database has them."""

    waiting: list[Waiting] = field(default_factory=list[Waiting])
    running: list[Running] = field(default_factory=list[Running])
    plans: list[ChosenPlan] = field(default_factory=list[ChosenPlan])

    @property
    def plan(self) -> ChosenPlan:
        """Return the smallest plan that a server with this key has chosen, and when the last one chose."""
        return ChosenPlan(min(plan.limit for plan in self.plans), max(plan.at for plan in self.plans))


class LaneSupervisor:
    """Runs a lane for each key that has jobs.

    It is notified of each job that changes, and reads all that need requests from the database at the start,
    when `reread` was called, and every `reread_every` seconds.
    """

    def __init__(self, context: EngineContext, catalog: Catalog, rates: RateStates) -> None:
        self._wake_up = WakeUp()
        self._rates = rates
        self._context = context
        self._known = RunningJobs()
        self._changed: dict[str, Job] = {}  # since the last turn
        self._keys = BoundedDict[int, StudiiKey](MAX_KNOWN_SERVERS)  # the current ones, by server
        self._plans: dict[str, ChosenPlan] = {}  # of lanes, as last read from the database
        self._read_wanted = True
        self._next_read = 0.0
        self._submitter = Submitter(context, catalog, rates)
        self._poller = Poller(context, catalog, rates, self._known)
        self._entries = JobEntries(context.clock, max(context.tuning.key_retries), catalog)
        self._samples = Samples(context, Durations(lambda work: _usually(catalog, work)))
        self._forecasts = Forecasts(context.clock, context.tuning)
        self._restored = False
        self._runners: dict[str, LaneRunner] = {}
        self._found = BoundedDict[str, str](MAX_FOUND_JOBS)  # in which lane a job was found last
        self._stranded = StrandedJobs(context, self._in_flight)
        self._entering = ErrorLog("handing a job to its lane", noun="job")
        self._syncing = ErrorLog("handing its jobs to a lane")

    async def progress(self, job_id: str) -> Progress:
        """Return the estimates that the job's lane has of it."""
        runner = self._holder(job_id)
        return Progress() if runner is None else await runner.progress(job_id)

    def overdue(self) -> float:
        """Return by how many seconds the most overdue poll of all lanes is late."""
        now = self._context.clock.monotonic()
        watches = (watch for runner in self._runners.values() for watch in runner.lane.running.values())
        return max(0.0, now - min((watch.due for watch in watches), default=now))

    def occupancy(self) -> dict[str, float]:
        """Return the share of its requests that each lane has in use."""
        now = self._context.clock.monotonic()
        rates = {name: runner.lane.rate for name, runner in self._runners.items()}
        return {name[:8]: rate.used(now) / rate.usable for name, rate in rates.items()}

    def notify(self, changes: Changes) -> None:
        """Take over the jobs that a transaction has changed."""
        self._known.notify(changes)
        if changes.others:
            self._keys.clear()
            self.reread()
        elif changes.jobs:
            self._changed |= changes.jobs
            self._wake_up.set()

    def reread(self) -> None:
        """Read the jobs from the database again."""
        self._read_wanted = True
        self._wake_up.set()

    async def run(self) -> None:
        """Run until cancelled; ends when all requests have ended."""
        try:
            async with asyncio.TaskGroup() as group:
                await run_forever("handing out jobs to lanes", self._wake_up, lambda: self._turn(group))
        finally:
            for name in list(self._runners):
                self._forget(name)
            await shielded(self._samples.save())

    async def _cards_first(self) -> None:
        """Wait until those whose jobs these are probably have their cards, also who comes meanwhile."""
        waited = 0.0
        while (rest := self._context.tuning.handed_out_after(self._new()) - waited) > 0:
            await asyncio.sleep(rest)
            waited += rest

    def _new(self) -> int:
        return sum(job.state is JobState.WAITING for job in self._changed.values())

    async def _turn(self, group: asyncio.TaskGroup) -> float:
        if self._changed:
            await self._cards_first()
        began = self._context.clock.monotonic()
        changed, self._changed = self._changed, {}
        if began < self._next_read and not self._read_wanted and all(map(self._take, changed.values())):
            await rest_after(0.0, self._context.tuning.reread_every)
            return self._next_read - self._context.clock.monotonic()
        self._read_wanted = False
        try:
            with self._context.liveness.operation("handing out jobs to lanes", progress=False):
                await self._reread(group)
        except BaseException:
            self._read_wanted = True
            raise
        await shielded(self._samples.save())
        now = self._context.clock.monotonic()
        self._next_read = now + self._context.tuning.reread_every
        await rest_after(now - began, self._context.tuning.reread_every)
        return self._context.tuning.reread_every

    def _take(self, job: Job) -> bool:
        """Hand a job that has changed to its lane, or take it from its lane if it needs no requests.

        Returns whether that could be done without the database.
        """
        holder = self._holder(job.id)
        if holder is not None and job.id in holder.lane.in_flight:
            return True  # the lane hears of it when that has ended
        if job.state is JobState.RUNNING and job.output_url is None:
            return holder is not None and job.id in holder.lane.running
        if job.state is JobState.WAITING or (job.state is JobState.UPLOADING and job.object_key is not None):
            return self._take_unsent(job, holder)
        if job.state in (JobState.UPLOADING, JobState.SUBMITTING):
            return False  # with no request in flight
        if holder is not None:
            holder.take(job.id, None)
        return True

    def _take_unsent(self, job: Job, holder: LaneRunner | None) -> bool:
        key = self._keys.get(job.guild_id)
        runner = None if key is None else self._runners.get(key.lane)
        if key is None or runner is None or holder not in (None, runner):
            return False
        if key.plan.requests_per_minute < self._plans[key.lane].limit:
            return False
        runner.take(job.id, self._entries.waiting(job, key.id))
        return True

    async def _reread(self, group: asyncio.TaskGroup) -> None:
        async with self._context.storage.read() as transaction:
            if not self._restored:
                self._samples.durations.restore(await transaction.run(lane_rows.durations))
                self._restored = True
            rows = await transaction.run(queries.on_lanes)
            keys = {key.id: key for key in await transaction.run(server_keys.stored)} if rows else {}
        elsewhere = [key for key in keys.values() if not self._context.member.shards.has(key.guild_id)]
        if not self._read_wanted:
            for job, key_id in rows:
                if key_id is not None and key_id in keys:
                    self._keys[job.guild_id] = keys[key_id]
        shares: dict[str, _Share] = {}
        now = self._context.clock.monotonic()
        keyless: list[Job] = []
        stranded: list[Job] = []
        for job, current_key_id in rows:
            if self._stranded.has(job):
                stranded.append(job)
                continue
            key = _key_for(job, current_key_id, keys)
            if key is None:
                keyless.append(job)
                continue
            share = shares.setdefault(key.lane, _Share())
            share.plans.append(ChosenPlan(key.plan.requests_per_minute, key.plan_chosen_at))
            self._entering.attempt(job.id, partial(self._enter, share, job, key.id), now)
        for key in elsewhere:
            if key.lane in shares and key.retired_at is None:
                shares[key.lane].plans.append(ChosenPlan(key.plan.requests_per_minute, key.plan_chosen_at))
        beginning = {name: share.plan for name, share in shares.items() if name not in self._runners}
        self._plans |= {name: share.plan for name, share in shares.items()}
        self._hand_out(shares, await self._rates.open(beginning), group)
        await self._without_key(keyless)
        await self._stranded.free(stranded)

    def _enter(self, share: _Share, job: Job, key_id: int) -> None:
        if job.state is JobState.RUNNING:
            share.running.append(self._entries.running(job))
        elif job.state is not JobState.SUBMITTING:
            share.waiting.append(self._entries.waiting(job, key_id))

    def _hand_out(
        self, shares: Mapping[str, _Share], rates: Mapping[str, RateState], group: asyncio.TaskGroup
    ) -> None:
        now = self._context.clock.monotonic()
        for name, share in shares.items():
            runner = self._runners.get(name)
            if runner is None:
                if name not in rates:
                    self.reread()  # its runner has just ended: its rate state is read first
                    continue
                runner = self._runners[name] = LaneRunner(
                    rates[name],
                    self._context,
                    self._submitter,
                    self._poller,
                    self._entries,
                    self._samples,
                    self._forecasts,
                    gone=self._forget,
                )
                group.create_task(runner.run(), name=f"lane {name[:8]}")
            self._syncing.attempt(name, partial(runner.sync, share.waiting, share.running, share.plan), now)
        for name in self._runners.keys() - shares.keys():
            self._syncing.attempt(name, partial(self._runners[name].sync, (), (), None), now)

    def _holder(self, job_id: str) -> LaneRunner | None:
        """Return the runner of the lane that the job waits or runs in."""
        runner = self._runners.get(self._found.get(job_id, ""))
        if runner is not None and runner.has(job_id):
            return runner
        for name, runner in self._runners.items():
            if runner.has(job_id):
                self._found[job_id] = name
                return runner
        return None

    def _forget(self, name: str) -> None:
        del self._runners[name]
        self._plans.pop(name, None)
        self._rates.close(name)

    def _in_flight(self, job_id: str) -> bool:
        return any(job_id in one.lane.in_flight for one in self._runners.values())

    async def _without_key(self, keyless: list[Job]) -> None:
        """Let jobs whose servers have no key (any more) wait for one, and say so, for a day."""
        now = self._context.clock.now()
        oldest = now - timedelta(seconds=self._context.tuning.held_bound)
        waiting = [job for job in keyless if job.state in (JobState.WAITING, JobState.UPLOADING)]
        ended = {job.id for job in waiting if key_holds.waited_too_long(job, oldest, since=None)}
        news = [job for job in waiting if not key_holds.has_no_key(job) or job.id in ended]
        if not news:
            return
        async with self._context.storage.write() as transaction:
            for job in news:
                if job.id in ended:
                    await transaction.run(
                        transitions.fail_unpaid, job.id, job.state, FailureCode.KEY, _NO_KEY_FOR_A_DAY, now
                    )
                else:
                    await transaction.run(key_holds.wait_for_key, job.id)


def _key_for(job: Job, current_key_id: int | None, keys: Mapping[int, StudiiKey]) -> StudiiKey | None:
    """Return the key that a job's next request is sent with."""
    key_id = job.key_id if job.state is JobState.RUNNING else current_key_id
    return None if key_id is None else keys.get(key_id)


def _usually(catalog: Catalog, work: Work) -> float:
    """Return the catalogue's guess, in seconds; also for jobs of a tool that it no longer has."""
    kind = "video" if work.output_kind == "video" else "image"
    tool = catalog.tools.get(work.tool)
    return USUAL_SECONDS[kind] if tool is None else tool.usually_takes(kind)
