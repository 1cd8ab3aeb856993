"""Upload a job's photo, and submit the job, once."""

import logging

from bot.aio.retry import FailureCounts, StoreRetry
from bot.catalog import Catalog
from bot.engine.context import EngineContext
from bot.engine.lanes.failures import Failures
from bot.engine.lanes.rate_state import RateState, RateStates
from bot.engine.lanes.step_result import StepResult
from bot.jobs import queries, submission, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.jobs.submission import Claim, NotClaimed
from bot.media.kinds import content_type_of
from bot.reasons import Reason, ReasonCode
from bot.studii import CreatedJob, OutcomeUnknown, StudiiError, UploadFailed, UploadTarget

_log = logging.getLogger(__name__)


_PHOTO_LOST = Reason(ReasonCode.PHOTO_LOST)


class Submitter:
    """Uploads photos and submits jobs. `rate` is the state of the lane that decided on the step.

    Both steps claim the job, send, and store what the answer means.
    """

    def __init__(self, context: EngineContext, catalog: Catalog, rates: RateStates) -> None:
        self._context = context
        self._rates = rates
        self._catalog = catalog
        self._retry = StoreRetry("storing Studii's answer", context.liveness, noun="job")
        self._failures = Failures(context, self._retry)
        self._lost = FailureCounts()

    async def upload(self, job_id: str, rate: RateState) -> StepResult:
        """POST /uploads and PUT the photo (Studii API docs, "Upload a source image").

        The job stays in its state until it is submitted.
        """
        claim = await self._claim(job_id, rate, JobState.UPLOADING)
        if isinstance(claim, StepResult):
            return claim
        path = self._context.spool.path(claim.job.source_file or "")
        content_type = content_type_of(path)
        met: UploadTarget | StudiiError | FileNotFoundError
        try:
            met = await self._context.studii.request_upload(claim.secret, path.name, content_type)
            await self._context.studii.put(met, path, content_type)
        except (StudiiError, FileNotFoundError) as error:
            met = error
        except Exception as error:  # noqa: BLE001 - logged, and bounded like other uploads that fail
            _log.exception("Job %s: uploading its photo failed", job_id)
            met = UploadFailed(reason=type(error).__name__)
        if isinstance(met, StudiiError):
            return await self._failures.store(claim, JobState.UPLOADING, met)
        if isinstance(met, FileNotFoundError):
            return await self._photo_lost(claim.job)
        async with self._context.storage.write() as transaction:
            stored = await transaction.run(transitions.change, job_id, object_key=met.object_key)
        self._failures.clear(claim.job)
        return StepResult(stored)

    async def submit(self, job_id: str, rate: RateState) -> StepResult:
        """POST /jobs (Studii API docs, "Create a job"), and store what Studii said, with the credits, in one
        transaction. A cancellation has to wait for that."""
        claim = await self._claim(job_id, rate, JobState.SUBMITTING)
        if isinstance(claim, StepResult):
            return claim
        job = claim.job
        met: CreatedJob | StudiiError
        try:
            met = await self._context.studii.create_job(claim.secret, job.tool, job.inputs, job.object_key)
        except StudiiError as error:
            met = error
        except Exception as error:  # noqa: BLE001 - logged, and the outcome is stored
            # An unexpected error, and the request may have been sent.
            _log.exception("Job %s: submitting it failed", job_id)
            met = OutcomeUnknown(reason=type(error).__name__)
        if isinstance(met, StudiiError):
            return await self._failures.store(claim, JobState.SUBMITTING, met)
        _log.info("Job %s: Studii accepted it as %s", job_id, met.id)
        now = self._context.clock.now()
        # Another process may take the job for lost, and only this one knows its id at Studii.
        amend = self._context.storage.db.amend
        running = await self._retry.run(
            job_id, amend, submission.record_taken, self._catalog, claim, met, now
        )
        if running is None:
            said = "Job %s: Studii has it as %s, but it was settled before that was known"
            _log.warning(said, job_id, met.id)
        self._failures.clear(job)
        return StepResult(running)

    async def _claim(self, job_id: str, rate: RateState, to: JobState) -> Claim | StepResult:
        """Bring the job into the state in which the request is sent, and record the request.

        Return a result instead if the job is not to be sent now.
        """
        async with self._context.storage.write() as transaction:
            request = await self._rates.next_request(transaction, rate)
            if request is None:
                return StepResult(await transaction.run(queries.get, job_id), sent=False, again=rate.pause())
            claim = await transaction.run(
                submission.claim, self._catalog, self._context.vault, job_id, rate.lane, to, request
            )
            if isinstance(claim, Claim):
                return claim
            if isinstance(claim, NotClaimed):
                result = StepResult(claim.job, sent=False, again=claim.again)
            else:
                result = await self._failures.unreadable(transaction, claim, to)
        if result.job is None or result.job.held is not None:
            # It is another lane's, or all of its key wait: the database tells.
            self._context.reread()
        return result

    async def _photo_lost(self, job: Job) -> StepResult:
        """Have the photo fetched again, as it may have been lost with another host, within a bound."""
        again = job.source is not None and self._lost.count(job.id) <= self._context.tuning.lost_photo_tries
        async with self._context.storage.write() as transaction:
            now = self._context.clock.now()
            if (
                again
                and (waiting := await transaction.run(transitions.wait, job.id, JobState.UPLOADING, now))
                is not None
            ):
                await transaction.run(transitions.give_way, waiting.id, now)
                _log.info("Job %s: its photo is fetched again", job.id)
                return StepResult(None, sent=False)
            failed = await transaction.run(
                transitions.fail_unpaid, job.id, JobState.UPLOADING, FailureCode.UPLOAD, _PHOTO_LOST, now
            )
        _log.warning("Job %s: its photo is missing from the spool", job.id)
        return StepResult(failed, sent=False)
