"""Each change of a job's state with its lines in the ledger.

A function names the states that the job must be in (`of_job`). It returns None, having changed nothing, if
the job is in another. The changes around a request to Studii are in `submission`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import posts
from bot.credits import budgets, ledger
from bot.jobs import queries, results, thumbnails
from bot.jobs.models import (
    ACTIVE_STATES,
    NEXT_STATES,
    UNSENT_STATES,
    Approval,
    FailureCode,
    Hold,
    Job,
    JobState,
    Trouble,
)
from bot.reasons import Reason
from bot.servers import access
from bot.servers.notices import NoticeKind

_P = ParamSpec("_P")
_T = TypeVar("_T")


def move(session: Session, job: Job, to: JobState, at: datetime, **changes: Any) -> Job:
    """Move a job that this transaction has found to another state. What was said of the old one is over.

    If nothing more happens to it, that is posted, unless the changes say that it was announced.

    Raises `ValueError` if `NEXT_STATES` does not have the change.
    """
    if to not in NEXT_STATES[job.state]:
        raise ValueError(f"a job can't change from {job.state} to {to}")
    ends = (job.state in ACTIVE_STATES) is not (to in ACTIVE_STATES)
    if job.state is JobState.UNKNOWN:
        posts.change(session, job.guild_id, NoticeKind.UNKNOWN, job.id, at)
    # What was said of an unknown outcome or a withheld result may be there: the next is a new message.
    job.posting += job.state in {JobState.UNKNOWN, JobState.WITHHELD}
    job.state, job.changed_at, job.announced_at = to, at, None
    job.version += 1
    if job.decode_tries == 1:  # it was answered; what was given up stays so
        job.decode_tries = None
    for name, value in changes.items():
        setattr(job, name, value)
    if job.over:
        results.ended(session, job, at)
    if ends:
        results.follow_hourglass(session, job, at)
    return job


def advance(
    session: Session,
    job_id: str,
    expected: JobState | Iterable[JobState],
    to: JobState,
    *,
    at: datetime,
    **changes: Any,
) -> Job | None:
    """Move the job from one of the `expected` states to `to`. Return None if it was in another state."""
    job = queries.find(session, job_id, *([expected] if isinstance(expected, JobState) else expected))
    return None if job is None else move(session, job, to, at, **changes)


def change(
    session: Session,
    job_id: str,
    expected: JobState | None = None,
    *,
    visible: bool = False,
    **changes: Any,
) -> Job | None:
    """Change fields but not the state. `visible` increments the version, as others see it.

    Changes nothing and returns None if the job is in another state than `expected`.
    """
    job = queries.find(session, job_id, *([] if expected is None else [expected]))
    if job is not None:
        job.version += visible
        for name, value in changes.items():
            setattr(job, name, value)
    return job


def of_job(
    *states: JobState, together: bool = False
) -> Callable[
    [Callable[Concatenate[Session, Job, _P], _T]], Callable[Concatenate[Session, str, _P], _T | None]
]:
    """Make a function that changes a job in one of these states one of the job's id.

    The job is found as it is now, and locked. In another state, nothing is changed, and None returned. No two
    jobs of a set whose approval is wanted change at once, so that one sees the other: `together` locks their
    server, before the row.
    """

    def of(
        change: Callable[Concatenate[Session, Job, _P], _T],
    ) -> Callable[Concatenate[Session, str, _P], _T | None]:
        @wraps(change)
        def of_id(session: Session, job_id: str, *args: _P.args, **more: _P.kwargs) -> _T | None:
            before = queries.get(session, job_id) if together else None
            if before is not None and before.set_id is not None and before.approval is Approval.WANTED:
                ledger.lock(session, before.guild_id)
            job = queries.find(session, job_id, *states)
            return None if job is None else change(session, job, *args, **more)

        return of_id

    return of


def charge_of(job: Job, told: int | None = None) -> int:
    """Return the charge of a job: the last one in Studii's answers, else its reservation."""
    if told is not None:
        return told
    return job.charged if job.charged is not None else job.reserved


@of_job(JobState.RECEIVED, together=True)
def make_ready(session: Session, job: Job, source_file: str | None, at: datetime) -> Job:
    """Let a received job wait to be sent, or for approval: the photo, if there is one, is in the spool.

    The job may have been accepted before its server's key was held: then it waits for that like the others.
    """
    job.tries, job.trouble, job.not_before = 0, None, None
    if job.approval is not Approval.WANTED:
        return _wait_to_be_sent(session, job, at, source_file)
    move(session, job, JobState.PENDING, at, source_file=source_file)
    _tell_moderators(session, job, at)
    return job


@of_job(JobState.PENDING, together=True)
def approve(session: Session, job: Job, at: datetime) -> Job:
    """Let a pending job wait to be sent, as a moderator decided."""
    job.approval = Approval.GIVEN
    _wait_to_be_sent(session, job, at, job.source_file)
    _tell_moderators(session, job, at)
    return job


def give_way(session: Session, job_id: str, at: datetime) -> Job | None:
    """Move a waiting job back to received: the photo leaves the spool and is fetched again later."""
    return advance(
        session,
        job_id,
        JobState.WAITING,
        JobState.RECEIVED,
        at=at,
        source_file=None,
        object_key=None,
        tries=0,
    )


def wait(session: Session, job_id: str, expected: JobState, at: datetime, **changes: Any) -> Job | None:
    """Let a job that Studii has not taken wait and be sent again: uploading or submitting → waiting.

    If its cancellation was asked for while it was being sent, it is cancelled instead.
    """
    waiting = advance(session, job_id, expected, JobState.WAITING, at=at, **changes)
    if waiting is None or waiting.cancel_told is None:
        return waiting
    return cancel(session, job_id, at, told=waiting.cancel_told)


@of_job(*UNSENT_STATES, together=True)
def cancel(session: Session, job: Job, at: datetime, *, told: bool = False) -> Job:
    """Cancel a received, waiting or uploading job, unpaid. `told`: the requester knows it already."""
    if told:
        job.source_file = None
    return _end_unpaid(session, job, JobState.CANCELLED, at, announced_at=at if told else None)


def cancel_unsent(session: Session, guild_id: int, at: datetime) -> int:
    """Cancel all jobs of the server that Studii has not been asked for; returns the number."""
    return sum(
        cancel(session, job.id, at) is not None
        for job in queries.in_states(session, UNSENT_STATES)
        if job.guild_id == guild_id
    )


def fail_unpaid(
    session: Session,
    job_id: str,
    expected: JobState | Iterable[JobState],
    code: FailureCode,
    reason: Reason,
    at: datetime,
) -> Job | None:
    """Fail a job in any of the `expected` states. Studii has not taken it, so nothing is charged."""
    states = [expected] if isinstance(expected, JobState) else expected
    end = of_job(*states, together=True)(_end_unpaid)
    return end(session, job_id, JobState.FAILED, at, failure=code, failure_text=reason)


def end_paid(session: Session, job: Job, code: FailureCode, reason: Reason, charge: int, at: datetime) -> Job:
    """Fail a running job that this transaction has found, at `charge` credits."""
    return _settle(
        session, job, JobState.FAILED, charge, at, charged=charge, failure=code, failure_text=reason
    )


fail_paid = of_job(JobState.RUNNING)(end_paid)


@of_job(JobState.RECEIVED, JobState.RUNNING)
def later(session: Session, job: Job, until: datetime) -> None:
    """Let a photo or an output be fetched not before then. A photo whose key is held waits for that, too."""
    waits = job.held is not None and job.state is JobState.RECEIVED
    job.not_before, job.tries = max(until, job.not_before or until) if waits else until, job.tries + 1


def wait_for_room(session: Session, guild_id: int, job_id: str, until: datetime, at: datetime) -> None:
    """Let all photos of a server that are due wait for room that this one of them hasn't found."""
    due = Job.not_before.is_(None) | (Job.not_before <= at) | (Job.id == job_id)
    theirs = update(Job).filter_by(guild_id=guild_id, state=JobState.RECEIVED).where(due)
    session.execute(
        theirs.where(Job.__table__.c.source_url.is_not(None)).values(not_before=until, trouble=Trouble.ROOM)
    )


def tell_result_lost(session: Session, job_id: str, at: datetime) -> None:
    """Tell the admins once that there was a charge for a result that is neither here nor at its address."""
    job = queries.get(session, job_id)
    if job is not None and job.settled > 0:
        posts.want(session, job.guild_id, NoticeKind.RESULT_LOST, job.id, at=at, job_id=job.id)


@of_job(JobState.RUNNING)
def succeed(
    session: Session, job: Job, output_file: str, kind: str, at: datetime, *, thumbnail: bytes = b""
) -> Job:
    """Let a running job succeed, at what Studii told: the output is in the spool.

    Where results wait for a moderator's decision, it waits for that first: running → reviewing.
    """
    waits = job.result_approval is Approval.WANTED and access.of(session, job.guild_id).wants_results
    to = JobState.REVIEWING if waits else JobState.SUCCEEDED
    if waits:
        posts.want(session, job.guild_id, NoticeKind.REVIEW, job.id, at=at, job_id=job.id)
    if thumbnail:
        session.add(thumbnails.Thumbnail(job.id, job.guild_id, at, thumbnail))
    return _settle(session, job, to, charge_of(job), at, output_file=output_file, output_kind=kind)


@of_job(JobState.REVIEWING, JobState.WITHHELD)
def release_result(session: Session, job: Job, at: datetime) -> Job:
    """Let a result be posted that waits for a decision or was withheld: reviewing, withheld → succeeded."""
    posts.change(session, job.guild_id, NoticeKind.REVIEW, job.id, at)
    return move(
        session,
        job,
        JobState.SUCCEEDED,
        at,
        result_approval=Approval.GIVEN,
        failure=None,
        failure_text=None,
    )


@of_job(JobState.REVIEWING)
def withhold_result(
    session: Session, job: Job, reason: Reason | None, at: datetime, *, told: bool = False
) -> Job:
    """Keep a result that waits for a decision from being posted: reviewing → withheld. It was paid.

    `told`: the requester knows it already.
    """
    thumbnails.drop(session, [job.id])
    posts.change(session, job.guild_id, NoticeKind.REVIEW, job.id, at)
    return move(
        session,
        job,
        JobState.WITHHELD,
        at,
        announced_at=at if told else None,
        failure=FailureCode.DECLINED,
        failure_text=reason,
    )


@of_job(JobState.UNKNOWN)
def apply_ruling(session: Session, job: Job, charge: int | None, reason: Reason, at: datetime) -> Job:
    """Fail an unknown job, at `charge` credits, or unpaid if None."""
    return _settle(
        session, job, JobState.FAILED, charge or 0, at, failure=FailureCode.RULED, failure_text=reason
    )


@of_job(JobState.SUCCEEDED)
def repost(session: Session, job: Job, channel_id: int, at: datetime) -> Job | None:
    """Have a job's result posted again, in that channel. Return None if its output is not kept."""
    if job.announced_at is None or job.output_file is None:
        return None
    job.channel_id, job.post_channel_id, job.in_thread, job.changed_at = channel_id, None, None, at
    return _post_anew(session, job, at)


@of_job(JobState.SUCCEEDED, JobState.WITHHELD)
def drop_files(session: Session, job: Job, at: datetime) -> None:
    """Forget the files of a result that could not be posted, and have its link posted.

    Of one that was withheld, nothing is posted.
    """
    job.source_file = job.output_file = None
    if job.state is JobState.SUCCEEDED:
        job.version += 1
        _post_anew(session, job, at)


def set_decode_tries(session: Session, job_id: str, tries: int) -> None:
    """Set the tries to decode one of the job's files, which are counted before each, so that a crash shows
    which file may have caused it. No one has to be told."""
    session.execute(update(Job).where(Job.id == job_id).values(decode_tries=tries))


def decode_tries(session: Session, job_id: str) -> int:
    """Return the tries since a decoder last answered of one of the job's files."""
    return session.scalar(select(Job.decode_tries).where(Job.id == job_id)) or 0


def _end_unpaid(session: Session, job: Job, to: JobState, at: datetime, **changes: Any) -> Job:
    move(session, job, to, at, finished_at=at, held=None, not_before=None, **changes)
    _tell_moderators(session, job, at)
    return ledger.settle(session, job, 0, at)


def _settle(session: Session, job: Job, to: JobState, charge: int, at: datetime, **changes: Any) -> Job:
    """Move a job that Studii has ended, and settle it at its charge."""
    reserved = job.reserved
    ledger.settle(session, job, charge, at)  # before what is posted: then the row is written once
    move(session, job, to, at, finished_at=at, **changes)
    if charge > reserved:  # what was reserved counted before
        budgets.watch_budget(session, job.guild_id, at)
    return job


def _post_anew(session: Session, job: Job, at: datetime) -> Job:
    job.posting, job.announced_at = job.posting + 1, None
    results.ended(session, job, at)
    return job


def _wait_to_be_sent(session: Session, job: Job, at: datetime, source_file: str | None) -> Job:
    move(session, job, JobState.WAITING, at, source_file=source_file, held=None, not_before=None)
    if (hold := session.get(Hold, job.guild_id)) is not None:
        job.held, job.not_before, job.key_id = hold.reason, hold.until, hold.key_id
    return job


def _tell_moderators(session: Session, job: Job, at: datetime) -> None:
    """Ask moderators about a request when it is complete, and end that when there is nothing to decide.

    That of a set is complete when the last of its photos is there, or can't be had.
    """
    if job.approval is None:
        return
    kind, key = NoticeKind.APPROVAL, job.set_id or job.id
    jobs = [job] if job.set_id is None else queries.of_set(session, job.set_id)
    pending = [one for one in jobs if one.state is JobState.PENDING]
    if not pending:
        posts.change(session, job.guild_id, kind, key, at)
    elif all(one.state is not JobState.RECEIVED for one in jobs):
        posts.want(session, job.guild_id, kind, key, at=at, job_id=pending[0].id)
