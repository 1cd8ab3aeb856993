"""What becomes of jobs whose request was under way when the process ended."""

import logging
from collections.abc import Iterable
from datetime import datetime

from bot.model import Job, JobState, NoticeKind
from bot.storage import Transaction

_log = logging.getLogger(__name__)

INTERRUPTED = frozenset({JobState.UPLOADING, JobState.SUBMITTING})


async def recover(tx: Transaction, jobs: Iterable[Job], at: datetime) -> None:
    """Uploading: back in line, as an upload costs nothing. Submitting: Studii may have it or not."""
    for job in jobs:
        if job.state is JobState.UPLOADING:
            await tx.jobs.advance(job.id, JobState.UPLOADING, JobState.WAITING, at=at)
        elif job.state is JobState.SUBMITTING:
            unknown = await tx.jobs.advance(job.id, JobState.SUBMITTING, JobState.UNKNOWN, at=at)
            if unknown is not None:
                await tx.notices.add(job.guild_id, NoticeKind.UNKNOWN, job.id, at=at, job_id=job.id)
                _log.warning(
                    "Job %s was being submitted when the bot stopped: its outcome is unknown",
                    job.id,
                    extra={"job": job.id},
                )
