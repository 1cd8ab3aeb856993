"""What moderators are shown of requests and results on which they decide, and the end of what they can't be
shown."""

import logging
from collections.abc import Sequence

from bot.aio.retry import FailureCounts, backoff
from bot.domain import FailureCode, ForModerators, Job, JobState, Notice, NoticeKind, OutputFile
from bot.engine.context import EngineContext
from bot.engine.lanes.out_of_band import NoRoom
from bot.engine.workers.refetch import NotNow, Refetch
from bot.lifecycle.transitions import fail_unpaid, release_result, withhold_result
from bot.reasons import Reason, ReasonCode
from bot.storage import Transaction

_log = logging.getLogger(__name__)

REFETCH_TRIES = 3  # before a result is decided on without its file


async def to_decide_on(transaction: Transaction, notice: Notice, job: Job) -> list[Job]:
    """Return the jobs on which moderators still have to decide: the notice's, or those of its set."""
    if notice.kind is NoticeKind.REVIEW:
        return [job] if job.state is JobState.REVIEWING else []
    together = [job] if job.set_id is None else await transaction.jobs.of_set(job.set_id)
    return [one for one in together if one.state is JobState.PENDING]


class NotYet(Exception):
    """The files are not there yet. It can be tried again after `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class ApprovalMatters:
    """Finds the files of what is to be decided on, and ends what can't be."""

    def __init__(self, context: EngineContext, refetch: Refetch) -> None:
        self._context = context
        self._refetch = refetch
        self._fetches = FailureCounts()

    async def shown(self, notice: Notice, jobs: Sequence[Job]) -> ForModerators:
        """Return what moderators are to see. Raises `NotYet` while a lost result is fetched again."""
        names = [job.source_file for job in jobs if job.source_file is not None]
        photos = tuple([photo for name in names if (photo := await self._file(name)) is not None])
        if notice.kind is NoticeKind.APPROVAL:
            return ForModerators(tuple(jobs), photos)
        job = await self._fetched(jobs[0])
        return ForModerators((job,), photos, await self._file(job.output_file))

    async def end(self, notice: Notice, jobs: Sequence[Job], *, turned_off: bool) -> None:
        """End what could not be shown to moderators: requests unpaid; a result is not posted.

        `turned_off`: nothing waits for approval any more, so the result needs none.
        """
        now, gone = self._context.clock.now(), Reason(ReasonCode.APPROVALS_GONE)
        async with self._context.storage.write() as transaction:
            for job in jobs:
                if notice.kind is NoticeKind.APPROVAL:
                    await fail_unpaid(transaction, job, JobState.PENDING, FailureCode.DECLINED, gone, now)
                elif turned_off:
                    await release_result(transaction, job, now)
                else:
                    why = Reason(ReasonCode.RESULT_REVIEWS_GONE)
                    await withhold_result(transaction, job, why, now)

    async def _fetched(self, job: Job) -> Job:
        """Return the job with its result's file, if it can be had (again)."""
        tuning = self._context.tuning
        try:
            fetched = await self._refetch.fetch(job)
        except NoRoom as reason:
            raise NotYet(reason.seconds) from None
        except NotNow as reason:
            _log.info("Job %s: its result can't be fetched again: %s", job.id, reason, extra={"job": job.id})
            fetches = self._fetches.count(job.id)
            if fetches < REFETCH_TRIES:
                raise NotYet(backoff(fetches, tuning.download_pause, tuning.backoff_bound)) from None
            fetched = job
        self._fetches.forget(job.id)
        return fetched

    async def _file(self, name: str | None) -> OutputFile | None:
        return None if name is None else await self._context.spool.open_output(name)
