"""Looking at a job that Studii has."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.aio.batch import Batch
from bot.aio.bounded import BoundedDict
from bot.aio.retry import ErrorLog, backoff, delay_at
from bot.aio.shield import shielded
from bot.catalog import Catalog
from bot.domain import FailureCode, Job, JobState, NoticeKind, StudiiKey
from bot.engine.context import Claim, EngineContext, StepResult
from bot.engine.lanes.rate_state import RateState
from bot.lifecycle import key_holds
from bot.lifecycle.budget_alerts import watch_budget
from bot.lifecycle.prices import learn_at_end, learn_while_running
from bot.lifecycle.submission import NOT_YET
from bot.lifecycle.transitions import charge_of, fail_paid
from bot.reasons import Reason, ReasonCode
from bot.storage import CannotDecrypt, Transaction
from bot.studii import (
    JobNotFound,
    JobReport,
    KeyRefused,
    MalformedAnswer,
    RateLimited,
    StudiiError,
)

_log = logging.getLogger(__name__)

ENOUGH_MISSES = 3
MAX_TROUBLES = 10_000  # jobs
STUMBLE_BOUND = 60.0  # seconds between two looks while Studii gives no answer


@dataclass(slots=True)
class _Trouble:
    """What went wrong with a job's polls, and since when (by the monotonic clock)."""

    errors: int = 0  # in a row, as are the next three
    refusals: int = 0
    misses: int = 0
    missing_since: float | None = None
    without_url_since: float | None = None

    def answered(self) -> None:
        """Studii has told how the job stands."""
        self.errors = self.refusals = self.misses = 0
        self.missing_since = None


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """A job whose key cannot be decrypted, and what to do about that."""

    job: Job
    reason: Reason


_Asked = tuple[str, RateState]  # job, and its lane's


class Poller:
    """GETs a job (Studii API docs, "Poll status"). What goes on for a while is remembered in memory alone."""

    def __init__(self, context: EngineContext, catalog: Catalog) -> None:
        self._context = context
        self._catalog = catalog
        # After a start with many running jobs, hundreds of lanes poll at the same moment.
        self._claims = Batch(self._claim_all)
        self._errors = ErrorLog("looking at it", noun="job")
        self._troubles = BoundedDict[str, _Trouble](MAX_TROUBLES)

    async def poll(self, job_id: str, rate: RateState, age: float) -> StepResult:
        """Poll a job that was submitted `age` seconds ago."""
        claim = await shielded(self._claim(job_id, rate))
        if isinstance(claim, StepResult):
            return self._after(job_id, claim)
        job = claim.job
        try:
            report = await self._context.studii.job_status(claim.secret, job.studii_id or "", job.status_url)
        except StudiiError as error:
            return self._after(job_id, await shielded(self._failed(job, error, age)))
        except Exception as error:  # noqa: BLE001 - logged; the job's own bounds hold for it too
            pause = self._errors.failed(error, job_id)
            met = MalformedAnswer(reason=type(error).__name__)
            result = await shielded(self._failed(job, met, age))
            if result.again is not None:
                result = replace(result, again=self._bounded(pause, age), unexpected=True)
            return self._after(job_id, result)
        self._errors.succeeded(job_id)
        if (trouble := self._troubles.get(job_id)) is not None:
            trouble.answered()
        return self._after(job_id, await shielded(self._seen(job, report, rate.lane, age)))

    async def _claim(self, job_id: str, rate: RateState) -> Claim | StepResult:
        claimed = await self._claims.ask((job_id, rate))
        if isinstance(claimed, _Unreadable):
            return replace(await self._key_refused(claimed.job, claimed.reason), sent=False)
        return claimed

    async def _claim_all(self, asked: Sequence[_Asked]) -> Mapping[_Asked, Claim | StepResult | _Unreadable]:
        """Return what to poll each job with; the polls are recorded before they take place."""
        async with self._context.storage.write() as tx:
            jobs = await tx.jobs.some([job_id for job_id, _ in asked])
            keys = await tx.keys.some({job.key_id for job in jobs.values() if job.key_id is not None})
            claims = {one: self._claim_of(one, jobs, keys) for one in asked}
            sent = [rate for (_, rate), claim in claims.items() if isinstance(claim, Claim)]
            now = self._context.clock.now()
            settled = {rate.lane: rate.settled(now) for rate in sent}
            await tx.lanes.record_all([rate.lane for rate in sent], now, settled)
        return claims

    def _claim_of(
        self, asked: _Asked, jobs: Mapping[str, Job], keys: Mapping[int, StudiiKey]
    ) -> Claim | StepResult | _Unreadable:
        job_id, rate = asked
        job = jobs.get(job_id)
        if job is None or job.state is not JobState.RUNNING or job.output_url is not None:
            return StepResult(job, sent=False, again=NOT_YET)
        key = None if job.key_id is None else keys.get(job.key_id)
        if key is None or key.lane != rate.lane:
            return StepResult(None, sent=False)
        try:
            return Claim(job, key, self._context.vault.unseal(key.ciphertext))
        except CannotDecrypt as error:
            return _Unreadable(job, error.told)

    async def _seen(self, job: Job, report: JobReport, lane: str, age: float) -> StepResult:
        if job.not_before is not None:
            job = await self._key_works(job)
        if report.failed:
            why = Reason(ReasonCode.STUDII_FAILED, {"detail": report.error} if report.error else {})
            charge = charge_of(job, report.credits_charged)
            return await self._end(job, FailureCode.STUDII, why, charge, lane, report.credits_charged)
        if report.succeeded:
            return await self._completed(job, report, lane)
        if age >= self._context.tuning.lost_after:
            return await self._end(job, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED), charge_of(job))
        if age >= self._context.tuning.hourly_after:
            job = await self._still_running(job)
        told = report.credits_charged if job.charged is None else None
        if told or report.status != job.studii_status:
            async with self._context.storage.write() as tx:
                now = self._context.clock.now()
                repriced = await learn_while_running(tx, self._catalog, job, lane, told, now)
                stored = await tx.jobs.update(job.id, visible=True, studii_status=report.status)
            if repriced:
                self._context.look()
            return StepResult(stored)
        return StepResult(job)

    async def _completed(self, job: Job, report: JobReport, lane: str) -> StepResult:
        charge = charge_of(job, report.credits_charged)
        if report.output_url is None:
            now = self._context.clock.monotonic()
            trouble = self._trouble(job.id)
            if trouble.without_url_since is None:
                trouble.without_url_since = now
            if now - trouble.without_url_since < self._context.tuning.url_grace:
                return StepResult(job)
            unsafe, missing = ReasonCode.OUTPUT_UNSAFE_ADDRESS, ReasonCode.OUTPUT_WITHOUT_ADDRESS
            why = Reason(unsafe if report.output_refused else missing)
            return await self._end(job, FailureCode.OUTPUT, why, charge, lane, report.credits_charged)
        async with self._context.storage.write() as tx:
            now, told = self._context.clock.now(), report.credits_charged
            repriced = await learn_at_end(tx, self._catalog, job, lane, told, now, completed=True)
            stored = await tx.jobs.update(
                job.id,
                visible=True,
                studii_status=report.status,
                output_url=report.output_url,
                output_kind=report.output_kind,
                charged=charge,
            )
            if repriced:
                await watch_budget(tx, job.guild_id, now)
        if repriced:
            self._context.look()
        return StepResult(stored)

    async def _failed(self, job: Job, error: StudiiError, age: float) -> StepResult:
        """No report: the job goes on, until it is certain that it does not."""
        if isinstance(error, RateLimited):
            return StepResult(job, again=error.retry_after, limited=True, retry_after=error.retry_after)
        _log.info(
            "Job %s: a poll of it met %s (%s)",
            job.id,
            type(error).__name__,
            error.reason,
            extra={"job": job.id},
        )
        if isinstance(error, JobNotFound):
            return await self._not_found(job, age)
        if age >= self._context.tuning.lost_after:
            return await self._end(job, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED), charge_of(job))
        if age >= self._context.tuning.hourly_after:
            job = await self._still_running(job)
        if isinstance(error, KeyRefused):
            return await self._key_refused(job, error.told)
        trouble = self._trouble(job.id)
        trouble.errors += 1
        pause = backoff(trouble.errors, self._context.tuning.first_poll, STUMBLE_BOUND)
        return StepResult(job, again=self._bounded(pause, age))

    def _bounded(self, pause: float, age: float) -> float:
        """Return the pause after a poll that learned nothing, bounded by a share of the job's age.

        A job may end in that pause: its requester then waits longer by at most that share.
        """
        tuning = self._context.tuning
        return min(pause, max(tuning.first_poll, tuning.poll_share * age))

    async def _still_running(self, job: Job) -> Job:
        """After a day its person and the admins are told, once."""
        if job.held is not None:
            return job
        async with self._context.storage.write() as tx:
            now = self._context.clock.now()
            await tx.notices.add(job.guild_id, NoticeKind.STILL_RUNNING, job.id, at=now, job_id=job.id)
            told = await tx.jobs.update(job.id, visible=True, held=Reason(ReasonCode.RUNNING_FOR_A_DAY))
        return told or job

    async def _not_found(self, job: Job, age: float) -> StepResult:
        """One 404 may be a mistake of the moment; several over a while are not."""
        now, over = self._context.clock.monotonic(), self._context.tuning.missing_over
        trouble = self._trouble(job.id)
        if trouble.missing_since is None:
            trouble.missing_since = now
        trouble.misses += 1
        if trouble.misses >= ENOUGH_MISSES and now - trouble.missing_since >= over:
            return await self._end(
                job, FailureCode.LOST, Reason(ReasonCode.UNKNOWN_TO_STUDII), charge_of(job)
            )
        return StepResult(job, again=self._bounded(over / (ENOUGH_MISSES - 1), age))

    async def _key_refused(self, job: Job, reason: Reason) -> StepResult:
        """Its key does not work any more: on with the server's current one, if that is another."""
        async with self._context.storage.write() as tx:
            current = await tx.keys.current(job.guild_id)
            own = None if job.key_id is None else await tx.keys.get(job.key_id)
            forgotten = current is None and (own is None or not own.ciphertext)
            result = StepResult(None)
            if current is not None and current.id != job.key_id:
                await tx.jobs.update(job.id, key_id=current.id)
            elif not forgotten:
                result = await self._held(tx, job, current, reason)
        if forgotten:
            return await self._end(job, FailureCode.KEY, Reason(ReasonCode.KEY_REMOVED), charge_of(job))
        self._context.look()
        return result

    async def _held(self, tx: Transaction, job: Job, key: StudiiKey | None, reason: Reason) -> StepResult:
        """It waits with its server's other jobs until `key` works; None if an admin removed the key."""
        trouble = self._trouble(job.id)
        trouble.refusals += 1
        pause = delay_at(self._context.tuning.key_retries, trouble.refusals)
        now = self._context.clock.now()
        until = now + timedelta(seconds=pause)
        told = await key_holds.hold_running(tx, job, key, reason, until, now)
        return StepResult(told, again=pause)

    async def _key_works(self, job: Job) -> Job:
        """Studii tells of it again: what was in the way because of the key is gone."""
        async with self._context.storage.write() as tx:
            told = await key_holds.works_again(tx, job, self._context.clock.now())
        self._context.look()
        return told or job

    async def _end(
        self,
        job: Job,
        code: FailureCode,
        reason: Reason,
        charge: int,
        lane: str | None = None,
        told: int | None = None,
    ) -> StepResult:
        """Fail the job at that charge; `told`: what Studii's last answer, with the key of `lane`, charged."""
        repriced = job.charged is None
        async with self._context.storage.write() as tx:
            now = self._context.clock.now()
            if lane is not None:
                repriced = await learn_at_end(tx, self._catalog, job, lane, told, now, completed=False)
            failed = await fail_paid(tx, job, code, reason, charge, now)
        if repriced:
            self._context.look()
        _log.info("Job %s failed (%s)", job.id, code, extra={"job": job.id})
        return StepResult(failed)

    def _after(self, job_id: str, result: StepResult) -> StepResult:
        job = result.job
        if job is not None and (job.state is not JobState.RUNNING or job.output_url is not None):
            self._errors.succeeded(job_id)
            self._troubles.pop(job_id, None)
        return result

    def _trouble(self, job_id: str) -> _Trouble:
        trouble = self._troubles.get(job_id)
        if trouble is None:
            trouble = self._troubles[job_id] = _Trouble()
        return trouble
