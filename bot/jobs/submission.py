"""The transitions around POST /jobs and after a poll, with the charge, the key's price and the budget.

A job is claimed, taken by Studii, refused, or unknown. `lane` is that of the key that was used.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot import meta, posts
from bot.catalog import Catalog
from bot.clock import PUT_BACK
from bot.credits import budgets, prices
from bot.jobs import holds, lanes, queries, transitions
from bot.jobs.models import UNSENT_STATES, FailureCode, Hold, Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers.keys import StudiiKey
from bot.servers.notices import NoticeKind
from bot.sqlite_file import WAS_RESTORED
from bot.studii import CreatedJob, JobReport, RateLimited

_log = logging.getLogger(__name__)

_ANSWER_LOST, _RESTORED = Reason(ReasonCode.ANSWER_LOST), Reason(ReasonCode.RESTORED)
NOT_YET = 0.5  # seconds that a lane leaves a job alone that could not be claimed

_TO_UNKNOWN = {
    JobState.RECEIVED: JobState.WAITING,
    JobState.PENDING: JobState.WAITING,
    JobState.WAITING: JobState.SUBMITTING,
    JobState.UPLOADING: JobState.SUBMITTING,
    JobState.SUBMITTING: JobState.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a request is sent for next, and the key to send it with. `was_held`: it waited for that."""

    job: Job
    key: StudiiKey
    was_held: bool


@dataclass(frozen=True, slots=True)
class Done:
    """The job after a step, or None if the database tells how it is.

    `sent`: whether a request left this process; none does for a job that could not be claimed. `again`: leave
    the job alone for this many seconds. `limited`: the 429 that Studii answered.
    """

    job: Job | None
    sent: bool = True
    again: float | None = None
    limited: RateLimited | None = None


def needs_upload(job: Job, key_id: int | None) -> bool:
    """Return whether the job's photo has to be uploaded before the job can be submitted with that key.

    `key_id` is None for a job that no key was used for yet.
    """
    return job.source_file is not None and (job.object_key is None or job.key_id != key_id)


def claim(
    session: Session, catalog: Catalog, job_id: str, lane: str, to: JobState, at: datetime, epoch: int | None
) -> Claim | Done:
    """Note that the job's request is sent next, with the lane's key: waiting (or uploading) → uploading or
    submitting. Changes nothing if the job is not to be sent now.
    """
    expected = (JobState.WAITING,) if to is JobState.UPLOADING else (JobState.WAITING, JobState.UPLOADING)
    job, key = queries.with_key(session, job_id)
    if job is None or job.state not in expected:
        return Done(job, sent=False, again=NOT_YET)
    if key is None or key.lane != lane or needs_upload(job, key.id) is not (to is JobState.UPLOADING):
        return Done(None, sent=False)
    until, was_held = job.waits_until(key.id), job.held is not None
    if was_held and until is not None and at < until <= at + PUT_BACK:
        # Another job of its server was refused after the lane had decided on this one.
        return Done(None, sent=False)
    if not job.price_learned or job.reserved > job.estimate:
        verdict = prices.sendable(session, catalog, key.lane, job, at)
        if isinstance(verdict, Reason):
            return Done(
                transitions.fail_unpaid(session, job_id, UNSENT_STATES, FailureCode.BUDGET, verdict, at),
                sent=False,
            )
        if verdict is None:
            return Done(job, sent=False, again=5.0)  # the end of the one that it waits for wakes the lane
    claimed = queries.find(session, job_id, *expected)
    if claimed is None:
        return Done(job, sent=False, again=NOT_YET)
    transitions.move(session, claimed, to, at, key_id=key.id, held=None, not_before=None, epoch=epoch)
    if to is JobState.UPLOADING:
        claimed.object_key = None  # of another key
    return Claim(claimed, key, was_held)


def record_taken(
    session: Session, catalog: Catalog, claim: Claim, created: CreatedJob, at: datetime
) -> Job | None:
    """Note that Studii has the claimed job, at the charge in its answer: submitting → running.

    That ends a hold of the key. Unknown → running if another instance took the job for lost meanwhile. Its
    result is then a new message. Return None if an admin had ruled on it before that was known.
    """
    lanes.lock(session, claim.key.lane)  # its price may change
    job = queries.find(session, claim.job.id, JobState.SUBMITTING, JobState.UNKNOWN)
    if job is None:
        stored = queries.get(session, claim.job.id)  # by a commit whose answer was lost
        return stored if stored is not None and stored.studii_id == created.id else None
    if job.state is JobState.UNKNOWN:
        job.failure_text = None
    transitions.move(session, job, JobState.RUNNING, at, submitted_at=at)
    job.studii_id, job.status_url = created.id, created.status_url
    job.studii_status, job.charged, job.tries = created.status, created.credits_charged, 0
    # A job that was held has been taken, so the others go on even if no hold is stored.
    if claim.was_held or session.get(Hold, job.guild_id) is not None:
        holds.end_hold(session, job.guild_id, at, was_held=claim.was_held)
    if created.credits_charged is not None:
        prices.taken(session, catalog, claim.key.lane, job, created.credits_charged, at)
    return job


def record_status(
    session: Session, catalog: Catalog, lane: str, job: Job, report: JobReport, at: datetime
) -> None:
    """Store the status of a job that Studii is still working on, and the charge if none was known.

    The caller of this and of what follows has locked the lane where a report is recorded, as its price may
    change, and has found and locked the job.
    """
    job.version, job.studii_status = job.version + 1, report.status
    if job.charged is None and report.credits_charged:  # 0 may mean "not yet"
        job.charged = report.credits_charged
        prices.taken(session, catalog, lane, job, report.credits_charged, at)


def record_output(
    session: Session, catalog: Catalog, lane: str, job: Job, report: JobReport, at: datetime
) -> bool:
    """Store the address of the output, and the last charge. The job runs until the output is here.

    Return whether other reservations may have changed, or other jobs waited for this answer.
    """
    told, charge = report.credits_charged, transitions.charge_of(job, report.credits_charged)
    repriced = prices.told_at_end(session, catalog, lane, job, told, at, completed=True)
    job.version, job.studii_status, job.charged = job.version + 1, report.status, charge
    job.output_url, job.output_kind = report.output_url, report.output_kind
    job.tries, job.not_before = 0, None  # now of fetching it
    if repriced:
        budgets.watch_budget(session, job.guild_id, at)
    return repriced


def fail_running(
    session: Session,
    catalog: Catalog,
    lane: str,
    job: Job,
    code: FailureCode,
    reason: Reason,
    at: datetime,
    *,
    told: int | None,
) -> bool:
    """Fail a running job at its charge. `told` is the one in the last answer, if that told it.

    Return what `record_output` does.
    """
    charge, repriced = transitions.charge_of(job, told), job.charged is None
    # Others may have waited for the price, whether this answer told it or not.
    if told is not None:
        repriced = prices.told_at_end(session, catalog, lane, job, told, at, completed=False)
    transitions.end_paid(session, job, code, reason, charge, at)
    return repriced


def make_unknown(session: Session, job_id: str, at: datetime) -> Job | None:
    """Make a submitting job unknown: Studii may have it or not. Its credits stay reserved; admins are
    told."""
    unknown = transitions.advance(session, job_id, JobState.SUBMITTING, JobState.UNKNOWN, at=at)
    if unknown is not None:
        tell_unknown(session, unknown, at)
    return unknown


def doubt_restored(session: Session, at: datetime) -> None:
    """Make the jobs that waited in a restored backup unknown.

    They may have been sent, made and charged after the backup. Running jobs are polled as usual. Without a
    restored backup nothing changes.
    """
    if meta.get(session, WAS_RESTORED) is None:
        return
    doubt_waiting(session, at)
    meta.remove(session, WAS_RESTORED)


def doubt_waiting(session: Session, at: datetime) -> int:
    """Make the jobs unknown that Studii hasn't taken as far as is known. Return their number."""
    waiting = queries.in_states(session, _TO_UNKNOWN)
    for job in waiting:
        while (to := _TO_UNKNOWN.get(job.state)) is not None:
            transitions.move(session, job, to, at, held=None, not_before=None, failure_text=_RESTORED)
        tell_unknown(session, job, at, _RESTORED)
        if job.approval is not None:  # there is nothing to decide any more
            posts.change(session, job.guild_id, NoticeKind.APPROVAL, job.set_id or job.id, at)
        _log.warning("Job %s was waiting in the backup: its outcome is unknown", job.id)
    return len(waiting)


def tell_unknown(session: Session, job: Job, at: datetime, why: Reason = _ANSWER_LOST) -> None:
    """Tell the admins that the job's outcome is unknown."""
    posts.want(
        session,
        job.guild_id,
        NoticeKind.UNKNOWN,
        job.id,
        at=at,
        job_id=job.id,
        details={"reason": why.encode()},
    )
