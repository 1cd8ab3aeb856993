"""Show moderators the requests and results on which they decide, and end what they can't be
shown."""

from collections.abc import Sequence

from bot.domain import FailureCode, ForModerators, Job, JobState, OutputFile
from bot.engine.context import EngineContext
from bot.engine.workers.ended_jobs import EndedJobs
from bot.features import words
from bot.features.words import WordEffect
from bot.lifecycle.transitions import fail_unpaid, release_result, withhold_result
from bot.reasons import Reason, ReasonCode
from bot.servers.notices import Notice, NoticeKind
from bot.storage import Transaction


async def to_decide_on(transaction: Transaction, notice: Notice, job: Job) -> list[Job]:
    """Return the jobs on which moderators still have to decide: the notice's, or those of its set."""
    if notice.kind is NoticeKind.REVIEW:
        return [job] if job.state is JobState.REVIEWING else []
    together = [job] if job.set_id is None else await transaction.jobs.of_set(job.set_id)
    return [one for one in together if one.state is JobState.PENDING]


class ApprovalNotices:
    """Finds the files of what is to be decided on, and ends what can't be."""

    def __init__(self, context: EngineContext, ended_jobs: EndedJobs) -> None:
        self._context = context
        self._ended_jobs = ended_jobs

    async def shown(self, notice: Notice, jobs: Sequence[Job]) -> ForModerators:
        """Return what moderators are to see. Raises `NotYet` while a lost result is fetched again."""
        names = [job.source_file for job in jobs if job.source_file is not None]
        photos = tuple([photo for name in names if (photo := await self._file(name)) is not None])
        if notice.kind is NoticeKind.APPROVAL:
            async with self._context.storage.read() as transaction:
                found = await transaction.run(words.rules, notice.guild_id)
            rules = {one.key: one.words for one in found if one.effect is WordEffect.APPROVE}
            return ForModerators(tuple(jobs), photos, rules=rules)
        job = await self._ended_jobs.with_file(jobs[0])
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

    async def _file(self, name: str | None) -> OutputFile | None:
        return None if name is None else await self._context.spool.open_output(name)
