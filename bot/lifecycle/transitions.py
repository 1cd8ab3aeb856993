"""Changes of a job's state with their lines in the ledger, in the transaction of the caller."""

from collections.abc import Collection
from datetime import datetime

from bot.model import FailureCode, Job, JobState
from bot.storage import Transaction


async def fail_unpaid(
    tx: Transaction,
    job: Job,
    expected: JobState | Collection[JobState],
    code: FailureCode,
    text: str,
    at: datetime,
) -> Job | None:
    """End a job before Studii took it: nothing is charged. Returns None if it was in no expected state."""
    failed = await tx.jobs.advance(
        job.id,
        expected,
        JobState.FAILED,
        at=at,
        failure=code,
        failure_text=text,
        finished_at=at,
        held=None,
        not_before=None,
    )
    if failed is None:
        return None
    await tx.ledger.release(job.id, at)
    return await tx.jobs.get(job.id)
