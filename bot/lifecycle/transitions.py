"""Each change of a job's state with its lines in the ledger, in the caller's transaction.

A change of state is a conditional UPDATE (`Jobs.advance`, `Jobs.make_ready`): it names the states that the
job must be in, and the function returns None, having changed nothing, if the job is in another. `accept` adds
jobs instead, and `tell_result_lost` only tells admins. The changes around a submission are in `submission`,
those after a poll in `poll_results`.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Unpack

from bot import posts
from bot.credits import ledger
from bot.credits.budgets import watch_budget
from bot.domain import UNSENT_STATES, FailureCode, Job, JobState
from bot.domain.approvals import Approval
from bot.reasons import Reason
from bot.servers import access, notices
from bot.servers.notices import NoticeKind
from bot.storage import JobChanges, Transaction


def charge_of(job: Job, told: int | None = None) -> int:
    """Return the charge of a job: the last one in Studii's answers, else its reservation."""
    if told is not None:
        return told
    return job.charged if job.charged is not None else job.reserved


async def accept(transaction: Transaction, jobs: Sequence[Job], at: datetime) -> list[Job]:
    """Add new jobs and reserve their estimates. The caller holds the ledger's lock and checked the limits."""
    await transaction.jobs.add_all(jobs)
    return await transaction.run(ledger.reserve, jobs, at)


async def make_ready(transaction: Transaction, job: Job, source_file: str | None, at: datetime) -> Job | None:
    """Let a received job wait to be sent, or for approval: the photo, if there is one, is in the spool.

    The job may have been accepted before its server's key was held: then it waits for that like the others.
    """
    if job.approval is not Approval.WANTED:
        return await transaction.jobs.make_ready(job.id, source_file, at)
    await _lock_set(transaction, job)
    changes = JobChanges(source_file=source_file)
    pending = await transaction.jobs.advance(job.id, JobState.RECEIVED, JobState.PENDING, at=at, **changes)
    await _tell_moderators(transaction, pending, at)
    return pending


async def approve(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    """Let a pending job wait to be sent, as a moderator decided."""
    approved = await transaction.jobs.make_ready(job.id, job.source_file, at, Approval.GIVEN)
    await _tell_moderators(transaction, approved, at)
    return approved


async def give_way(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    """Move a waiting job back to received: the photo leaves the spool and is fetched again later."""
    dropped = JobChanges(source_file=None, object_key=None)
    return await transaction.jobs.advance(job.id, JobState.WAITING, JobState.RECEIVED, at=at, **dropped)


async def wait(
    transaction: Transaction, job: Job, expected: JobState, at: datetime, **changes: Unpack[JobChanges]
) -> Job | None:
    """Let a job that Studii has not taken wait and be sent again: uploading or submitting → waiting.

    If its cancellation was asked for while it was being sent, it is cancelled instead.
    """
    waiting = await transaction.jobs.advance(job.id, expected, JobState.WAITING, at=at, **changes)
    if waiting is None or waiting.cancel_told is None:
        return waiting
    return await cancel(transaction, waiting, at, told=waiting.cancel_told)


async def cancel(transaction: Transaction, job: Job, at: datetime, *, told: bool = False) -> Job | None:
    """Cancel a received, waiting or uploading job, unpaid. `told`: the requester knows it already."""
    changes = JobChanges(finished_at=at, held=None, not_before=None)
    if told:
        changes |= JobChanges(announced_at=at, source_file=None)
    await _lock_set(transaction, job)
    cancelled = await transaction.jobs.advance(job.id, UNSENT_STATES, JobState.CANCELLED, at=at, **changes)
    await _tell_moderators(transaction, cancelled, at)
    return None if cancelled is None else await transaction.run(ledger.settle, cancelled, 0, at)


async def cancel_if_not_taken(transaction: Transaction, job: Job, *, told: bool) -> Job | None:
    """Remember that a submitting job is to be cancelled if Studii does not take it; `told` as in `cancel`."""
    return await transaction.jobs.update(job.id, JobState.SUBMITTING, visible=True, cancel_told=told)


async def cancel_unsent(transaction: Transaction, guild_id: int, at: datetime) -> int:
    """Cancel all jobs of the server that Studii has not been asked for; returns the number."""
    unsent = [job for job in await transaction.jobs.in_states(UNSENT_STATES) if job.guild_id == guild_id]
    return sum([await cancel(transaction, job, at) is not None for job in unsent])


async def fail_unpaid(
    transaction: Transaction,
    job: Job,
    expected: JobState | Collection[JobState],
    code: FailureCode,
    reason: Reason,
    at: datetime,
) -> Job | None:
    """Fail a job in any of the `expected` states. Studii has not taken it, so nothing is charged."""
    await _lock_set(transaction, job)
    changes = _failure(code, reason, at) | JobChanges(held=None, not_before=None)
    failed = await transaction.jobs.advance(job.id, expected, JobState.FAILED, at=at, **changes)
    await _tell_moderators(transaction, failed, at)
    return None if failed is None else await transaction.run(ledger.settle, failed, 0, at)


async def fail_paid(
    transaction: Transaction, job: Job, code: FailureCode, reason: Reason, charge: int, at: datetime
) -> Job | None:
    """Fail a running job, at `charge` credits."""
    changes = _failure(code, reason, at) | JobChanges(charged=charge)
    failed = await transaction.jobs.advance(job.id, JobState.RUNNING, JobState.FAILED, at=at, **changes)
    return None if failed is None else await _settle(transaction, failed, charge, at)


async def tell_result_lost(transaction: Transaction, job: Job, at: datetime) -> None:
    """Tell the admins once that there was a charge for a result that is neither here nor at its address."""
    if job.settled > 0:
        kind = NoticeKind.RESULT_LOST
        await transaction.run(notices.add, job.guild_id, kind, job.id, at=at, job_id=job.id)


async def succeed(
    transaction: Transaction, job: Job, output_file: str, kind: str, at: datetime
) -> Job | None:
    """Let a running job succeed, at what Studii told: the output is in the spool.

    Where results wait for a moderator's decision, it waits for that first: running → reviewing.
    """
    waits = job.result_approval is Approval.WANTED
    waits = waits and (await transaction.run(access.approvals, job.guild_id)).wants_results
    to, charge = JobState.REVIEWING if waits else JobState.SUCCEEDED, charge_of(job)
    changes = JobChanges(output_file=output_file, output_kind=kind, finished_at=at)
    moved = await transaction.jobs.advance(job.id, JobState.RUNNING, to, at=at, **changes)
    done = None if moved is None else await _settle(transaction, moved, charge, at)
    if done is not None and waits:
        await transaction.run(notices.add, job.guild_id, NoticeKind.REVIEW, job.id, at=at, job_id=job.id)
    return done


async def release_result(transaction: Transaction, job: Job, at: datetime) -> Job | None:
    """Let a result be posted that waits for a decision, or was withheld: reviewing or withheld → succeeded.

    What was said of a withheld one may have been posted, so the result is a new message.
    """
    changes = JobChanges(result_approval=Approval.GIVEN, failure=None, failure_text=None)
    changes["posting"] = job.posting + (job.state is JobState.WITHHELD)
    released = await transaction.jobs.advance(job.id, job.state, JobState.SUCCEEDED, at=at, **changes)
    if released is not None:
        await transaction.run(posts.change, job.guild_id, NoticeKind.REVIEW, job.id, at)
    return released


async def withhold_result(
    transaction: Transaction, job: Job, reason: Reason | None, at: datetime, *, told: bool = False
) -> Job | None:
    """Keep a result that waits for a decision from being posted: reviewing → withheld. It was paid.

    `told`: the requester knows it already.
    """
    changes = JobChanges(failure=FailureCode.DECLINED, failure_text=reason)
    if told:
        changes["announced_at"] = at
    withheld = await transaction.jobs.advance(job.id, JobState.REVIEWING, JobState.WITHHELD, at=at, **changes)
    if withheld is not None:
        await transaction.run(posts.change, job.guild_id, NoticeKind.REVIEW, job.id, at)
    return withheld


async def apply_ruling(
    transaction: Transaction, job: Job, charge: int | None, reason: Reason, at: datetime
) -> Job | None:
    """Fail an unknown job, at `charge` credits, or unpaid if None. The ruling is posted as a new message."""
    changes = _failure(FailureCode.RULED, reason, at) | JobChanges(posting=job.posting + 1)
    ruled = await transaction.jobs.advance(job.id, JobState.UNKNOWN, JobState.FAILED, at=at, **changes)
    if ruled is None:
        return None
    return await _settle(transaction, ruled, charge or 0, at)


def _failure(code: FailureCode, reason: Reason, at: datetime) -> JobChanges:
    return JobChanges(failure=code, failure_text=reason, finished_at=at)


async def _settle(transaction: Transaction, job: Job, charge: int, at: datetime) -> Job:
    settled = await transaction.run(ledger.settle, job, charge, at)
    if charge > job.reserved:  # what was reserved counted before
        await transaction.run(watch_budget, job.guild_id, at)
    return settled


async def _lock_set(transaction: Transaction, job: Job) -> None:
    """Let no two jobs of a set whose approval is wanted change at once, so that one sees the other."""
    if job.set_id is not None and job.approval is Approval.WANTED:
        await transaction.run(ledger.lock, job.guild_id)


async def _tell_moderators(transaction: Transaction, changed: Job | None, at: datetime) -> None:
    """Ask moderators about a request when it is complete, and end that when there is nothing to decide.

    That of a set is complete when the last of its photos is there, or can't be had.
    """
    if changed is None or changed.approval is None:
        return
    kind, key, jobs = NoticeKind.APPROVAL, changed.set_id or changed.id, [changed]
    if changed.set_id is not None:
        jobs = await transaction.jobs.of_set(changed.set_id)
    pending = [job for job in jobs if job.state is JobState.PENDING]
    if not pending:
        await transaction.run(posts.change, changed.guild_id, kind, key, at)
    elif all(job.state is not JobState.RECEIVED for job in jobs):
        await transaction.run(notices.add, changed.guild_id, kind, key, at=at, job_id=pending[0].id)
