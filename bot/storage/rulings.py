"""How a job ends of which nobody knew whether Studii had taken it."""

from datetime import datetime

from bot.domain import FailureCode, Job, JobState
from bot.storage.database.storage import Transaction

RULED_CHARGED = "An admin looked it up: Studii had made this. The picture can be found in the Studii account."
RULED_RELEASED = "An admin looked it up: Studii never made this. You can ask for it again."
NOBODY_RULED = "Nobody settled within 30 days whether Studii had made this, so it counts as charged."


async def rule(tx: Transaction, job: Job, charge: int | None, text: str, at: datetime) -> Job | None:
    """Settle it at `charge` credits (None: nothing is paid); None if it is not unknown any more.

    The ruling is a posting of its own.
    """
    ruled = await tx.jobs.advance(
        job.id,
        JobState.UNKNOWN,
        JobState.FAILED,
        at=at,
        failure=FailureCode.RULED,
        failure_text=text,
        finished_at=at,
        posting=job.posting + 1,
    )
    if ruled is None:
        return None
    if charge is None:
        return await tx.ledger.release(job.id, at)
    return await tx.ledger.settle(job.id, charge, at)
