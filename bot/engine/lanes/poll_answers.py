"""Decide what becomes of running jobs from Studii's answers to polls."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.aio.bounded import BoundedDict
from bot.backoff import backoff, delay_at
from bot.catalog import Catalog
from bot.engine.context import EngineContext
from bot.engine.lanes.step_result import StepResult
from bot.jobs import holds as key_holds, polls, transitions
from bot.jobs.models import FailureCode, Job
from bot.reasons import Reason, ReasonCode
from bot.servers import keys, notices
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.storage import Transaction
from bot.studii import JobNotFound, JobReport, KeyRefused, RateLimited, StudiiError

_log = logging.getLogger(__name__)

MAX_TROUBLES = 10_000  # jobs


@dataclass(slots=True)
class _Trouble:
    """The failures of a job's polls, and since when they last (by the monotonic clock)."""

    errors: int = 0  # in a row, as are the next three
    refusals: int = 0
    misses: int = 0
    missing_since: float | None = None
    without_url_since: float | None = None

    def answered(self) -> None:
        """Forget the failures in a row after a report."""
        self.errors = self.refusals = self.misses = 0
        self.missing_since = None


class PollAnswers:
    """Stores what an answer to a poll means for its job. Lasting troubles are kept in memory only."""

    def __init__(self, context: EngineContext, catalog: Catalog) -> None:
        self._context = context
        self._catalog = catalog
        self._troubles = BoundedDict[str, _Trouble](MAX_TROUBLES)

    def forget(self, job_id: str) -> None:
        """Forget the troubles of a job that is polled no more."""
        self._troubles.pop(job_id, None)

    async def store(self, job: Job, met: JobReport | StudiiError, lane: str, age: float) -> StepResult:
        """Store what was met by a poll of a job that was submitted `age` seconds ago, with the key of `lane`.

        Without a report, the job continues unless it is certain that it doesn't.
        """
        if isinstance(met, StudiiError):
            return await self._failed(job, met, lane, age)
        return await self._reported(job, met, lane, age)

    async def _reported(self, job: Job, report: JobReport, lane: str, age: float) -> StepResult:
        if (trouble := self._troubles.get(job.id)) is not None:
            trouble.answered()
        if job.not_before is not None:
            async with self._context.storage.write() as transaction:
                job = await transaction.run(key_holds.works_again, job.id, self._context.clock.now()) or job
        if report.failed:
            why = Reason(ReasonCode.STUDII_FAILED, {"detail": report.error} if report.error else {})
            return await self._end(job, lane, FailureCode.STUDII, why, told=report.credits_charged)
        if report.succeeded:
            return await self._completed(job, report, lane)
        if age >= self._context.tuning.lost_after:
            return await self._end(job, lane, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED))
        if age >= self._context.tuning.hourly_after:
            job = await self._still_running(job)
        if report.status == job.studii_status and not (job.charged is None and report.credits_charged):
            return StepResult(job)
        async with self._context.storage.write() as transaction:
            now = self._context.clock.now()
            stored = await transaction.run(polls.record_status, self._catalog, lane, job.id, report, now)
        return StepResult(stored)

    async def _completed(self, job: Job, report: JobReport, lane: str) -> StepResult:
        if report.output_url is None:
            now = self._context.clock.monotonic()
            trouble = self._trouble(job.id)
            if trouble.without_url_since is None:
                trouble.without_url_since = now
            if now - trouble.without_url_since < self._context.tuning.url_grace:
                return StepResult(job)
            unsafe, missing = ReasonCode.OUTPUT_UNSAFE_ADDRESS, ReasonCode.OUTPUT_WITHOUT_ADDRESS
            why = Reason(unsafe if report.output_refused else missing)
            return await self._end(job, lane, FailureCode.OUTPUT, why, told=report.credits_charged)
        async with self._context.storage.write() as transaction:
            now = self._context.clock.now()
            done = await transaction.run(polls.record_output, self._catalog, lane, job.id, report, now)
            job_now, repriced = done
        if repriced:
            self._context.reread()
        return StepResult(job_now)

    async def _failed(self, job: Job, error: StudiiError, lane: str, age: float) -> StepResult:
        if isinstance(error, RateLimited):
            return StepResult(job, again=error.retry_after, limited=error)
        _log.info("Job %s: a poll of it met %s (%s)", job.id, type(error).__name__, error.reason)
        if isinstance(error, JobNotFound):
            return await self._not_found(job, lane, age)
        if age >= self._context.tuning.lost_after:
            return await self._end(job, lane, FailureCode.LOST, Reason(ReasonCode.NEVER_ENDED))
        if age >= self._context.tuning.hourly_after:
            job = await self._still_running(job)
        if isinstance(error, KeyRefused):
            return await self.key_refused(job, lane, error.told)
        trouble = self._trouble(job.id)
        tuning = self._context.tuning
        trouble.errors += 1
        pause = backoff(trouble.errors, tuning.first_poll, tuning.poll_error_bound)
        return StepResult(job, again=self.bounded(pause, age))

    def bounded(self, pause: float, age: float) -> float:
        """Return the pause after a poll that learned nothing, bounded by a share of the job's age.

        A job may end in that pause: its requester then waits longer by at most that share.
        """
        tuning = self._context.tuning
        return min(pause, max(tuning.first_poll, tuning.poll_share * age))

    async def _still_running(self, job: Job) -> Job:
        """Tell the requester and the admins once that the job has been running for a day."""
        if job.held is not None:
            return job
        async with self._context.storage.write() as transaction:
            now = self._context.clock.now()
            await transaction.run(
                notices.add, job.guild_id, NoticeKind.STILL_RUNNING, job.id, at=now, job_id=job.id
            )
            told = await transaction.run(
                transitions.change, job.id, visible=True, held=Reason(ReasonCode.RUNNING_FOR_A_DAY)
            )
        return told or job

    async def _not_found(self, job: Job, lane: str, age: float) -> StepResult:
        """End the job after several 404s over a while; a single one may be a mistake."""
        now, tuning = self._context.clock.monotonic(), self._context.tuning
        trouble = self._trouble(job.id)
        if trouble.missing_since is None:
            trouble.missing_since = now
        trouble.misses += 1
        if trouble.misses >= tuning.missing_polls and now - trouble.missing_since >= tuning.missing_over:
            return await self._end(job, lane, FailureCode.LOST, Reason(ReasonCode.UNKNOWN_TO_STUDII))
        return StepResult(job, again=self.bounded(tuning.missing_over / (tuning.missing_polls - 1), age))

    async def key_refused(self, job: Job, lane: str, reason: Reason) -> StepResult:
        """Continue with the server's current key if that is another one, else hold the job."""
        async with self._context.storage.write() as transaction:
            current = await transaction.run(keys.current, job.guild_id)
            own = None if job.key_id is None else await transaction.run(keys.get, job.key_id)
            forgotten = current is None and (own is None or not own.ciphertext)
            result = StepResult(None)
            if current is not None and current.id != job.key_id:
                await transaction.run(transitions.change, job.id, key_id=current.id)
            elif not forgotten:
                result = await self._held(transaction, job, current, reason)
        if forgotten:
            return await self._end(job, lane, FailureCode.KEY, Reason(ReasonCode.KEY_REMOVED))
        self._context.reread()
        return result

    async def _held(
        self, transaction: Transaction, job: Job, key: StudiiKey | None, reason: Reason
    ) -> StepResult:
        """Let the job wait with its server's others until `key` works, which is None if it was removed."""
        trouble = self._trouble(job.id)
        trouble.refusals += 1
        pause = delay_at(self._context.tuning.key_retries, trouble.refusals)
        now = self._context.clock.now()
        until = now + timedelta(seconds=pause)
        told = await transaction.run(key_holds.hold_running, job.id, key, reason, until, now)
        return StepResult(told, again=pause)

    async def _end(
        self, job: Job, lane: str, code: FailureCode, reason: Reason, *, told: int | None = None
    ) -> StepResult:
        """Fail the job. `told` is the charge in the last answer, if that told it."""
        async with self._context.storage.write() as transaction:
            failed, repriced = await transaction.run(
                polls.fail_running,
                self._catalog,
                lane,
                job.id,
                code,
                reason,
                self._context.clock.now(),
                told=told,
            )
        if repriced:
            self._context.reread()
        _log.info("Job %s failed (%s)", job.id, code)
        return StepResult(failed)

    def _trouble(self, job_id: str) -> _Trouble:
        trouble = self._troubles.get(job_id)
        if trouble is None:
            trouble = self._troubles[job_id] = _Trouble()
        return trouble
