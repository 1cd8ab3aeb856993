"""What becomes of jobs whose request was under way when the process ended."""

import logging
from collections.abc import Iterable
from datetime import datetime

from bot.domain import Job, JobState
from bot.engine.lanes.failures import tell_unknown
from bot.storage import WAS_RESTORED, JobChanges, Transaction

_log = logging.getLogger(__name__)

INTERRUPTED = frozenset({JobState.UPLOADING, JobState.SUBMITTING})
RESTORED = (
    "A backup was taken back, made while this was waiting, so nobody knows whether Studii has made it since. "
    "It is not sent by itself; the server's admins can settle it with `/jobs`."
)
_BEFORE_STUDII = (JobState.RECEIVED, JobState.WAITING, JobState.UPLOADING, JobState.SUBMITTING)
_TO_UNKNOWN = {
    JobState.RECEIVED: JobState.WAITING,
    JobState.WAITING: JobState.SUBMITTING,
    JobState.UPLOADING: JobState.SUBMITTING,
    JobState.SUBMITTING: JobState.UNKNOWN,
}


async def recover(tx: Transaction, jobs: Iterable[Job], at: datetime) -> None:
    """Uploading: back in line, as an upload costs nothing. Submitting: Studii may have it or not."""
    for job in jobs:
        if job.state is JobState.UPLOADING:
            await tx.jobs.advance(job.id, JobState.UPLOADING, JobState.WAITING, at=at)
        elif job.state is JobState.SUBMITTING:
            unknown = await tx.jobs.advance(job.id, JobState.SUBMITTING, JobState.UNKNOWN, at=at)
            if unknown is not None:
                await tell_unknown(tx, job, at)
                _log.warning(
                    "Job %s was being submitted when the bot stopped: its outcome is unknown",
                    job.id,
                    extra={"job": job.id},
                )


async def doubt_restored(tx: Transaction, at: datetime) -> None:
    """If the database is a backup that was taken back: what waited in it may have been sent, made and paid
    for after the backup, so it is not sent again. What was running is looked at as ever."""
    if await tx.meta.get(WAS_RESTORED) is None:
        return
    for job in await tx.jobs.in_states(_BEFORE_STUDII):
        state = job.state
        while (to := _TO_UNKNOWN.get(state)) is not None:
            changes = JobChanges(held=None, not_before=None, failure_text=RESTORED)
            await tx.jobs.advance(job.id, state, to, at=at, **changes)
            state = to
        await tell_unknown(tx, job, at, RESTORED)
        _log.warning(
            "Job %s was waiting in the backup: its outcome is unknown", job.id, extra={"job": job.id}
        )
    await tx.meta.remove(WAS_RESTORED)
