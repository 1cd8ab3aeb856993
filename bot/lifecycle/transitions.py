"""Changes of a job's state with their lines in the ledger, in the transaction of the caller."""

from collections.abc import Collection
from datetime import datetime
from typing import Unpack

from bot.domain import FailureCode, Job, JobState
from bot.lifecycle.budget_alerts import watch_budget
from bot.storage import JobChanges, Transaction

NO_KEY = (
    "This server has no Studii key at the moment. An admin can set one with `/studii key`; "
    "this job then goes on by itself."
)

# What may have been paid for is not to be forgotten.
LOOK_THERE = "It may still be in the Studii account: ask the server's admins."


def charge_of(job: Job, told: int | None = None) -> int:
    """What a job has cost: what Studii told last, else what is reserved for it."""
    if told is not None:
        return told
    return job.charged if job.charged is not None else job.reserved


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


async def taken(tx: Transaction, job_id: str, at: datetime, **changes: Unpack[JobChanges]) -> Job | None:
    """Studii has taken the job: it runs, also if another instance has made it unknown meanwhile.

    None if it was in neither state: an admin may have ruled on it.
    """
    running = await tx.jobs.advance(job_id, JobState.SUBMITTING, JobState.RUNNING, at=at, **changes)
    if running is not None:
        return running
    changes["failure_text"] = None
    running = await tx.jobs.advance(job_id, JobState.UNKNOWN, JobState.RUNNING, at=at, **changes)
    return None if running is None else await _say_it_anew(tx, running)


async def not_taken(tx: Transaction, job: Job, code: FailureCode, text: str, at: datetime) -> Job | None:
    """Studii has not taken a job that another instance has made unknown meanwhile: it ends unpaid. None if it
    was not unknown."""
    failed = await fail_unpaid(tx, job, JobState.UNKNOWN, code, text, at)
    return None if failed is None else await _say_it_anew(tx, failed)


async def _say_it_anew(tx: Transaction, job: Job) -> Job | None:
    """That it is unknown may have been posted: what is said next is a posting of its own."""
    return await tx.jobs.update(job.id, posting=job.posting + 1)


async def fail_paid(
    tx: Transaction, job: Job, code: FailureCode, text: str, charge: int, at: datetime
) -> Job | None:
    """A job that Studii took ends badly, and costs `charge` credits. None if it was not running."""
    failed = await tx.jobs.advance(
        job.id,
        JobState.RUNNING,
        JobState.FAILED,
        at=at,
        failure=code,
        failure_text=text,
        finished_at=at,
        charged=charge,
    )
    if failed is None:
        return None
    await tx.ledger.settle(job.id, charge, at)
    await watch_budget(tx, job.guild_id, at)
    return await tx.jobs.get(job.id)


async def succeed(tx: Transaction, job: Job, output_file: str, kind: str, at: datetime) -> Job | None:
    """The output is in the spool, and the job has cost what Studii says. None if it was not running."""
    done = await tx.jobs.advance(
        job.id,
        JobState.RUNNING,
        JobState.SUCCEEDED,
        at=at,
        output_file=output_file,
        output_kind=kind,
        finished_at=at,
    )
    if done is None:
        return None
    await tx.ledger.settle(job.id, charge_of(job), at)
    await watch_budget(tx, job.guild_id, at)
    return await tx.jobs.get(job.id)
