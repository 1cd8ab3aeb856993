"""Decide what becomes of a job whose upload or submission failed."""

import logging
from collections.abc import Mapping
from datetime import timedelta

from bot.aio.retry import FailureCounts, StoreRetry
from bot.backoff import backoff, delay_at
from bot.credits import ledger
from bot.engine.context import EngineContext
from bot.engine.lanes.step_result import StepResult
from bot.errors import NotAlone
from bot.jobs import holds as key_holds, queries, submission, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.submission import Claim, Unreadable, fail_unknown
from bot.jobs.transitions import JobChanges
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.servers.keys import StudiiKey
from bot.storage import Transaction
from bot.studii import (
    ApiRefused,
    BadInputs,
    KeyRefused,
    NotSent,
    OutcomeUnknown,
    OutOfCredits,
    PlanRefused,
    RateLimited,
    StudiiError,
    UploadFailed,
)

_log = logging.getLogger(__name__)

_UNREACHABLE = Reason(ReasonCode.UNREACHABLE)

_CODES: Mapping[type[StudiiError], FailureCode] = {
    BadInputs: FailureCode.INPUTS,
    OutOfCredits: FailureCode.CREDITS,
    PlanRefused: FailureCode.PLAN,
}


class Failures:
    """Stores what a failure means: the job waits again, within a bound, fails unpaid, or becomes unknown."""

    def __init__(self, context: EngineContext, retry: StoreRetry) -> None:
        self._context = context
        self._retry = retry
        self._uploads = FailureCounts()
        self._unsent = FailureCounts()
        self._refused_keys = FailureCounts()

    def clear(self, job: Job) -> None:
        """Forget the failures of the job and its server after a step that succeeded."""
        self._uploads.forget(job.id)
        self._unsent.forget(job.id)
        self._refused_keys.forget(job.guild_id)

    async def store(self, claim: Claim, state: JobState, error: StudiiError) -> StepResult:
        """Store what `error` means for a job in that state (uploading or submitting)."""
        job = claim.job
        _log.info("Job %s: %s met %s (%s)", job.id, state, type(error).__name__, error.reason)
        tries = self._count(job, state, error)  # once, however often storing it is tried
        result = await self._retry.run(job.id, self._store, claim, state, error, tries)
        if result.job is not None and result.job.terminal:
            self._uploads.forget(job.id)
            self._unsent.forget(job.id)
        if isinstance(error, KeyRefused | OutOfCredits):
            self._context.reread()
        return result

    def _count(self, job: Job, state: JobState, error: StudiiError) -> int:
        """Return how often in a row that has failed for the job, or its server's key was refused."""
        if isinstance(error, KeyRefused | OutOfCredits):
            return self._refused_keys.count(job.guild_id)
        if isinstance(error, NotSent):
            return self._unsent.count(job.id)
        return self._uploads.count(job.id) if state is JobState.UPLOADING else job.attempts + 1

    async def _store(self, claim: Claim, state: JobState, error: StudiiError, tries: int) -> StepResult:
        try:
            if isinstance(error, KeyRefused | OutOfCredits):
                return await self._not_served(claim, state, error, tries)
            if isinstance(error, OutcomeUnknown):
                return await self._unknown(claim.job)
            return await self._wait_or_fail(claim.job, state, error, tries)
        except NotAlone:
            if state is not JobState.SUBMITTING or isinstance(error, OutcomeUnknown):
                raise
            return await self._amend(claim.job, error)

    async def _wait_or_fail(self, job: Job, state: JobState, error: StudiiError, tries: int) -> StepResult:
        tuning = self._context.tuning
        if isinstance(error, NotSent):
            if tries >= tuning.unsent_tries:
                return StepResult(await self._fail(job, state, FailureCode.API, error.told), sent=False)
            pause = backoff(tries, tuning.backoff, tuning.backoff_bound)
            waiting = await self._wait(job, state, pause, held=_UNREACHABLE, attempts=job.attempts)
            return StepResult(waiting, sent=False)
        if isinstance(error, ApiRefused):
            code = FailureCode.UPLOAD if state is JobState.UPLOADING else FailureCode.API
            return StepResult(await self._fail(job, state, _CODES.get(type(error), code), error.told))
        if isinstance(error, UploadFailed) and error.too_large_for_any:
            return StepResult(await self._fail(job, state, FailureCode.UPLOAD, error.told))
        return await self._try_again(job, state, error, tries)

    async def _amend(self, job: Job, error: StudiiError) -> StepResult:
        """End an unknown job unpaid: another instance took it for lost, and Studii has refused it."""
        code = FailureCode.KEY if isinstance(error, KeyRefused) else FailureCode.API
        code, now = _CODES.get(type(error), code), self._context.clock.now()
        failed = await self._context.storage.db.amend(fail_unknown, job.id, code, error.told, now)
        if failed is None:
            raise NotAlone
        return StepResult(failed)

    async def _try_again(self, job: Job, state: JobState, error: StudiiError, tries: int) -> StepResult:
        """Let the job wait after a 429, a received 500 or a failed upload, or fail it after too many."""
        tuning = self._context.tuning
        uploading = state is JobState.UPLOADING
        limited = error if isinstance(error, RateLimited) else None
        if tries >= tuning.tries:
            code = FailureCode.UPLOAD if uploading else FailureCode.API
            failed = await self._fail(job, state, code, error.told)
            return StepResult(failed, limited=limited)
        asked = 0.0 if limited is None else limited.retry_after or 0.0
        pause = max(backoff(tries, tuning.backoff, tuning.backoff_bound), asked)
        attempts = job.attempts if uploading else tries
        waiting = await self._wait(job, state, pause, held=None, attempts=attempts)
        return StepResult(waiting, limited=limited)

    async def _not_served(
        self, claim: Claim, state: JobState, error: KeyRefused | OutOfCredits, tries: int
    ) -> StepResult:
        job, key = claim.job, claim.key
        async with self._context.storage.write() as transaction:
            # Before the job's row, as its others may be held.
            await transaction.run(ledger.lock, job.guild_id)
            current = await transaction.run(keys.current, job.guild_id)
            if current is None or current.id != key.id:
                # Set or taken out since it was sent: the refusal says nothing of the server's key now.
                return StepResult(
                    await transaction.run(transitions.wait, job.id, state, self._context.clock.now())
                )
            now = self._context.clock.now()
            if isinstance(error, KeyRefused):
                await transaction.run(transitions.wait, job.id, state, now)
            else:
                await transaction.run(
                    transitions.fail_unpaid, job.id, state, FailureCode.CREDITS, error.told, now
                )
            # The server's other jobs would fail too.
            await self._hold_key(transaction, key, error.told, tries)
            return StepResult(await transaction.run(queries.get, job.id))

    async def unreadable(self, transaction: Transaction, claim: Unreadable, state: JobState) -> StepResult:
        """Hold the server's key, which cannot be decrypted: nothing was sent."""
        await transaction.run(transitions.wait, claim.job.id, state, self._context.clock.now())
        tries = self._refused_keys.count(claim.key.guild_id)
        await self._hold_key(transaction, claim.key, claim.reason, tries)
        return StepResult(await transaction.run(queries.get, claim.job.id), sent=False)

    async def _hold_key(self, transaction: Transaction, key: StudiiKey, reason: Reason, tries: int) -> None:
        now, tuning = self._context.clock.now(), self._context.tuning
        pause = delay_at(tuning.key_retries, tries)
        oldest = now - timedelta(seconds=tuning.held_bound)
        until = now + timedelta(seconds=pause)
        await transaction.run(key_holds.hold, key, reason, until, now, oldest=oldest)

    async def _wait(
        self, job: Job, state: JobState, pause: float, *, held: Reason | None, attempts: int
    ) -> Job | None:
        now = self._context.clock.now()
        changes = JobChanges(not_before=now + timedelta(seconds=pause), held=held, attempts=attempts)
        async with self._context.storage.write() as transaction:
            return await transaction.run(transitions.wait, job.id, state, now, **changes)

    async def _fail(self, job: Job, state: JobState, code: FailureCode, reason: Reason) -> Job | None:
        async with self._context.storage.write() as transaction:
            return await transaction.run(
                transitions.fail_unpaid, job.id, state, code, reason, self._context.clock.now()
            )

    async def _unknown(self, job: Job) -> StepResult:
        async with self._context.storage.write() as transaction:
            unknown = await transaction.run(submission.make_unknown, job.id, self._context.clock.now())
        _log.warning("Job %s: it is unknown whether Studii accepted it", job.id)
        return StepResult(unknown)
