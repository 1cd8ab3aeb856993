"""Recover the jobs whose request was in flight when the process ended."""

import logging
from collections.abc import Iterable
from datetime import datetime

from bot.domain import Job, JobState
from bot.engine.context import EngineContext
from bot.lifecycle.submission import BEFORE_STUDII, make_unknown, make_unknown_after_restore
from bot.lifecycle.transitions import wait
from bot.storage import WAS_RESTORED, Transaction

_log = logging.getLogger(__name__)

INTERRUPTED = frozenset({JobState.UPLOADING, JobState.SUBMITTING})


def answer_is_over(job: Job, context: EngineContext) -> bool:
    """Return whether no answer to the job's last request can arrive any more in another process.

    That one may have sent it up to the moment when its lease ended, which is when its shards could be taken.
    """
    if job.state is not JobState.SUBMITTING or job.epoch == context.member.epoch:
        return True
    return context.member.held_for(job.guild_id) > context.tuning.answer_bound


async def recover(transaction: Transaction, jobs: Iterable[Job], at: datetime) -> None:
    """Put uploading jobs back into the queue, as an upload costs nothing. Make submitting ones unknown."""
    for job in jobs:
        if job.state is JobState.UPLOADING:
            await wait(transaction, job, JobState.UPLOADING, at)
        elif job.state is JobState.SUBMITTING and await make_unknown(transaction, job, at) is not None:
            said = "Job %s was being submitted when the bot stopped: its outcome is unknown"
            _log.warning(said, job.id)


async def doubt_restored(transaction: Transaction, at: datetime) -> None:
    """Make the jobs that waited in a restored backup unknown.

    They may have been sent, made and charged after the backup. Running jobs are polled as usual. Without a
    restored backup nothing changes.
    """
    if await transaction.meta.get(WAS_RESTORED) is None:
        return
    for job in await transaction.jobs.in_states(BEFORE_STUDII):
        await make_unknown_after_restore(transaction, job, at)
        _log.warning("Job %s was waiting in the backup: its outcome is unknown", job.id)
    await transaction.meta.remove(WAS_RESTORED)
