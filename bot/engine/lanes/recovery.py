"""What becomes of jobs whose request was under way when the process ended."""

import logging
from collections.abc import Iterable
from datetime import datetime

from bot.domain import Job, JobState
from bot.lifecycle.submission import BEFORE_STUDII, doubt, lose
from bot.lifecycle.transitions import wait
from bot.storage import WAS_RESTORED, Transaction

_log = logging.getLogger(__name__)

INTERRUPTED = frozenset({JobState.UPLOADING, JobState.SUBMITTING})


async def recover(tx: Transaction, jobs: Iterable[Job], at: datetime) -> None:
    """Uploading: back in line, as an upload costs nothing. Submitting: Studii may have it or not."""
    for job in jobs:
        if job.state is JobState.UPLOADING:
            await wait(tx, job, JobState.UPLOADING, at)
        elif job.state is JobState.SUBMITTING and await lose(tx, job, at) is not None:
            said = "Job %s was being submitted when the bot stopped: its outcome is unknown"
            _log.warning(said, job.id, extra={"job": job.id})


async def doubt_restored(tx: Transaction, at: datetime) -> None:
    """If the database is a backup that was taken back: what waited in it may have been sent, made and paid
    for after the backup, so it is not sent again. What was running is looked at as ever."""
    if await tx.meta.get(WAS_RESTORED) is None:
        return
    for job in await tx.jobs.in_states(BEFORE_STUDII):
        await doubt(tx, job, at)
        _log.warning(
            "Job %s was waiting in the backup: its outcome is unknown", job.id, extra={"job": job.id}
        )
    await tx.meta.remove(WAS_RESTORED)
