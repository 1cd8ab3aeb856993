"""Recover the jobs whose request was in flight when the process ended, or met an unexpected error."""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from bot import meta
from bot.engine.context import EngineContext
from bot.jobs import queries, submission, transitions
from bot.jobs.models import Job, JobState
from bot.jobs.submission import BEFORE_STUDII
from bot.sqlite_file import WAS_RESTORED
from bot.storage import Transaction

_log = logging.getLogger(__name__)

INTERRUPTED = frozenset({JobState.UPLOADING, JobState.SUBMITTING})


def answer_is_over(job: Job, context: EngineContext) -> bool:
    """Return whether no answer to the job's last request can arrive any more in another process.

    That one may have sent it up to the moment when its lease ended, which is when its shards could be taken.
    """
    if job.state is not JobState.SUBMITTING or job.epoch == context.member.epoch:
        return True
    return context.member.held_for(job.guild_id) > context.tuning.answer_bound


class StrandedJobs:
    """Frees jobs whose state only a request in flight explains, if there is none: their step met an
    unexpected error.

    `in_flight` says whether a lane sends a request for the job.
    """

    def __init__(self, context: EngineContext, in_flight: Callable[[str], bool]) -> None:
        self._context = context
        self._in_flight = in_flight

    def has(self, job: Job) -> bool:
        """Return whether the job is stranded, unless its step has ended since it was read."""
        uploading = job.state is JobState.UPLOADING and job.object_key is None
        submitting = job.state is JobState.SUBMITTING and answer_is_over(job, self._context)
        return (uploading or submitting) and not self._in_flight(job.id)

    async def free(self, found: Sequence[Job]) -> None:
        """Free the jobs that were found in the database, unless their step has just ended."""
        if not found:
            return
        async with self._context.storage.write() as transaction:
            # A step is known as under way before it changes the row, until after: so this is exact.
            fresh = [await transaction.run(queries.get, job.id) for job in found]
            lost = [job for job in fresh if job is not None and self.has(job)]
            # What has just failed is not repeated as fast as the lane can.
            await recover(transaction, lost, self._context.clock.now(), pause=self._context.tuning.backoff)
        self._context.reread()


async def recover(transaction: Transaction, jobs: Iterable[Job], at: datetime, *, pause: float = 0.0) -> None:
    """Put uploading jobs back into the queue, as an upload costs nothing. Make submitting ones unknown.

    Those in the queue are left alone for `pause` seconds.
    """
    not_before = at + timedelta(seconds=pause) if pause else None
    for job in jobs:
        if job.state is JobState.UPLOADING:
            await transaction.run(transitions.wait, job.id, JobState.UPLOADING, at, not_before=not_before)
        elif (
            job.state is JobState.SUBMITTING
            and await transaction.run(submission.make_unknown, job.id, at) is not None
        ):
            said = "Job %s was being submitted when the bot stopped: its outcome is unknown"
            _log.warning(said, job.id)


async def doubt_restored(transaction: Transaction, at: datetime) -> None:
    """Make the jobs that waited in a restored backup unknown.

    They may have been sent, made and charged after the backup. Running jobs are polled as usual. Without a
    restored backup nothing changes.
    """
    if await transaction.run(meta.get, WAS_RESTORED) is None:
        return
    for job in await transaction.run(queries.in_states, BEFORE_STUDII):
        await transaction.run(submission.make_unknown_after_restore, job.id, at)
        _log.warning("Job %s was waiting in the backup: its outcome is unknown", job.id)
    await transaction.run(meta.remove, WAS_RESTORED)
