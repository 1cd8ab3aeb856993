"""The transitions around POST /jobs and after a poll, with the charge, the key's price and the budget.

A job is claimed, taken by Studii, refused, or unknown. `lane` is that of the key that was used.

A server's key is held while Studii refuses it or its account is out of credits. While it is held, the
server's waiting jobs say why they wait, new jobs are refused, and one job tries again from time to time. A
hold begins with `hold` or `hold_running`, and ends with `end_hold` alone.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from bot import meta, posts
from bot.base import put, wake
from bot.catalog import Catalog
from bot.clock import PUT_BACK
from bot.credits import budgets, ledger, prices
from bot.jobs import lanes, queries, transitions
from bot.jobs.models import UNSENT_STATES, FailureCode, Hold, Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers.keys import StudiiKey, current as current_key
from bot.servers.notices import NoticeKind
from bot.sqlite_file import WAS_RESTORED
from bot.studii import CreatedJob, JobReport

_log = logging.getLogger(__name__)

_ANSWER_LOST, _RESTORED = Reason(ReasonCode.ANSWER_LOST), Reason(ReasonCode.RESTORED)
NOT_YET = 0.5  # seconds that a lane leaves a job alone that was not in the expected state

_TO_UNKNOWN = {
    JobState.RECEIVED: JobState.WAITING,
    JobState.PENDING: JobState.WAITING,
    JobState.WAITING: JobState.SUBMITTING,
    JobState.UPLOADING: JobState.SUBMITTING,
    JobState.SUBMITTING: JobState.UNKNOWN,
}
BEFORE_STUDII = tuple(_TO_UNKNOWN)
_OUT_OF_CREDITS = (FailureCode.CREDITS, NoticeKind.OUT_OF_CREDITS)
_REFUSED = (FailureCode.KEY, NoticeKind.KEY_REFUSED)
_NOT_FETCHED_OR_SENT = (JobState.RECEIVED, JobState.WAITING)


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a request is sent for next, and the key to send it with. `was_held`: it waited for that."""

    job: Job
    key: StudiiKey
    was_held: bool


@dataclass(frozen=True, slots=True)
class NotClaimed:
    """A job that is not to be sent now, as it is, or None if it no longer belongs to the lane that asked.

    `again`: leave it alone for this many seconds.
    """

    job: Job | None
    again: float | None = None


def needs_upload(job: Job, key_id: int | None) -> bool:
    """Return whether the job's photo has to be uploaded before the job can be submitted with that key.

    `key_id` is None for a job that no key was used for yet.
    """
    return job.source_file is not None and (job.object_key is None or job.key_id != key_id)


def claim(
    session: Session, catalog: Catalog, job_id: str, lane: str, to: JobState, at: datetime, epoch: int | None
) -> Claim | NotClaimed:
    """Note that the job's request is sent next, with the lane's key: waiting (or uploading) → uploading or
    submitting. Changes nothing if the job is not to be sent now.
    """
    expected = (JobState.WAITING,) if to is JobState.UPLOADING else (JobState.WAITING, JobState.UPLOADING)
    job, key = queries.with_key(session, job_id)
    if job is None or job.state not in expected:
        return NotClaimed(job, NOT_YET)
    if key is None or key.lane != lane or needs_upload(job, key.id) is not (to is JobState.UPLOADING):
        return NotClaimed(None)
    until, was_held = job.waits_until(key.id), job.held is not None
    if was_held and until is not None and at < until <= at + PUT_BACK:
        # Another job of its server was refused after the lane had decided on this one.
        return NotClaimed(job)
    if not job.price_learned or job.reserved > job.estimate:
        verdict = prices.sendable(session, catalog, key.lane, job, at)
        if isinstance(verdict, Reason):
            return NotClaimed(
                transitions.fail_unpaid(session, job_id, UNSENT_STATES, FailureCode.BUDGET, verdict, at)
            )
        if verdict is None:
            return NotClaimed(job, 5.0)  # the end of the one that it waits for wakes the lane
    claimed = queries.find(session, job_id, *expected)
    if claimed is None:
        return NotClaimed(job, NOT_YET)
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
        end_hold(session, job.guild_id, at, was_held=claim.was_held)
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
    waiting = queries.in_states(session, BEFORE_STUDII)
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
    told = {"reason": why.encode()}
    posts.want(session, job.guild_id, NoticeKind.UNKNOWN, job.id, at=at, job_id=job.id, details=told)


def hold(
    session: Session, key: StudiiKey, reason: Reason, until: datetime, at: datetime, *, oldest: datetime
) -> None:
    """Hold the key after Studii refused a job for that reason. Tell the admins once. Jobs that have waited
    for the key since before `oldest` end unpaid.
    """
    since = _hold(session, key, reason, until, at)
    code, _ = _kind(reason)
    for job in queries.in_states(session, _NOT_FETCHED_OR_SENT):
        if job.guild_id == key.guild_id and job.held and waited_too_long(job, oldest, since):
            transitions.fail_unpaid(session, job.id, job.state, code, reason, at)


def waited_too_long(job: Job, oldest: datetime, since: datetime | None) -> bool:
    """Return whether the job has waited since before `oldest`.

    `since` is when the server's jobs began to wait, or None if that is unknown.
    """
    return job.created_at < oldest and (since is None or since < oldest)


def hold_running(
    session: Session, job_id: str, key: StudiiKey | None, reason: Reason, until: datetime, at: datetime
) -> Job | None:
    """Hold a running job whose status Studii refuses to return. It is polled again at `until`.

    The server's key, if it has one, is held as well unless it is held already.
    """
    if key is not None:
        there = hold_of(session, key)
        if there is not None and refuses(there, key, at):
            _tell_held(session, key, reason, at)
        else:
            _hold(session, key, reason, until, at)
    job = queries.find(session, job_id)
    if job is not None:
        job.version += job.held != reason
        job.held, job.not_before = reason, until
    return job


@transitions.of_job()
def works_again(session: Session, job: Job, at: datetime) -> Job:
    """End the hold of a running job, and that of its server for the same reason: Studii answers again."""
    there = session.get(Hold, job.guild_id)
    if there is not None and job.held is not None and there.reason.code == job.held.code:
        end_hold(session, job.guild_id, at)
    job.version, job.held, job.not_before = job.version + 1, None, None
    return job


def end_hold(
    session: Session,
    guild_id: int,
    at: datetime,
    *,
    key: StudiiKey | None = None,
    was_held: bool = False,
) -> None:
    """End the server's hold: its waiting jobs may be sent.

    Running jobs are polled again, with `key` if a new one was set. `was_held`: Studii has taken a held job,
    so the others may be sent even if no hold is stored.
    """
    if (ended := session.get(Hold, guild_id)) is not None:
        session.delete(ended)
        session.flush()
    elif not was_held and key is None:
        return
    ledger.lock(session, guild_id)
    held = (Job.guild_id == guild_id) & Job.state.in_(_NOT_FETCHED_OR_SENT) & Job.held.is_not(None)
    session.execute(
        update(Job).where(held).values(held=None, not_before=None, trouble=None, version=Job.version + 1)
    )
    poll_from(session, guild_id, at, None if key is None else key.id)
    for _, kind in (_REFUSED, _OUT_OF_CREDITS):
        posts.forget(session, guild_id, kind)


def try_again(session: Session, guild_id: int, at: datetime) -> bool:
    """Let one job try the key at once; returns False if it is not held."""
    if (there := session.get(Hold, guild_id)) is None:
        return False
    ledger.lock(session, guild_id)
    there.until = at
    hold_waiting(session, guild_id, there.key_id, there.reason, at)
    poll_from(session, guild_id, at)
    return True


def refuses(there: Hold, key: StudiiKey, at: datetime) -> bool:
    """Return whether no new job is to be sent with that key yet, as it is held until later."""
    return there.key_id == key.id and at < there.until <= at + PUT_BACK


def hold_of(session: Session, key: StudiiKey) -> Hold | None:
    """Return the hold of that key. None if it is not held, or if only the key before it was."""
    there = session.get(Hold, key.guild_id)
    return there if there is not None and there.key_id == key.id else None


def why_held(session: Session, guild_id: int) -> Reason | None:
    """Return why Studii accepts no jobs with the server's key, or None if it accepts them."""
    key = current_key(session, guild_id)
    there = None if key is None else hold_of(session, key)
    return None if there is None else there.reason


@transitions.of_job(JobState.RECEIVED)
def wait_for_hold(session: Session, job: Job, soonest: datetime) -> bool:
    """Let an accepted job wait with its server's others, if their key is held, and until `soonest` at least,
    as it may be the one that tries the key. Return whether it waits.

    Its progress says why, and it ends with them.
    """
    if (there := session.get(Hold, job.guild_id)) is None:
        return False
    job.version += job.held != there.reason
    job.held, job.not_before, job.key_id = there.reason, max(there.until, soonest), there.key_id
    job.trouble = None  # it is the key that it waits for now
    return True


def tried(session: Session, key: StudiiKey) -> int:
    """Return how often in a row the key was refused."""
    there = hold_of(session, key)
    return 0 if there is None else there.tries


def without_key(session: Session, job_ids: Collection[str], oldest: datetime, at: datetime) -> None:
    """Let jobs whose server has no key wait for one, which their progress says.

    Those that were accepted before `oldest` end unpaid.
    """
    for job_id in job_ids:
        job = queries.find(session, job_id, JobState.WAITING, JobState.UPLOADING)
        if job is not None and waited_too_long(job, oldest, since=None):
            transitions.fail_unpaid(
                session, job_id, job.state, FailureCode.KEY, Reason(ReasonCode.NO_KEY_FOR_A_DAY), at
            )
        elif job is not None and (job.held is None or job.held.code != ReasonCode.NO_KEY):
            job.version, job.held = job.version + 1, Reason(ReasonCode.NO_KEY)


def hold_waiting(session: Session, guild_id: int, key_id: int, reason: Reason, until: datetime) -> None:
    """Let a server's waiting jobs wait until then, because of that key, and say why.

    A photo that can be had from its message later is not fetched meanwhile either.
    """
    unfetched = (Job.state == JobState.RECEIVED) & Job.__table__.c.source_message_id.is_not(None)
    these = (Job.guild_id == guild_id) & ((Job.state == JobState.WAITING) | unfetched)
    values = {"key_id": key_id, "held": reason, "not_before": until, "version": Job.version + 1}
    uploaded = case((Job.key_id == key_id, Job.object_key))  # an upload is its key's alone
    session.execute(update(Job).where(these).values(object_key=uploaded, **values))
    wake(session, ("jobs",))


def poll_from(session: Session, guild_id: int, at: datetime, key_id: int | None = None) -> None:
    """Let the server's running jobs whose polls Studii refused be polled from `at` on.

    They get the key `key_id`, or keep theirs if it is None.
    """
    refused = (Job.guild_id == guild_id) & (Job.state == JobState.RUNNING) & Job.not_before.is_not(None)
    refused &= Job.output_url.is_(None)
    key = {} if key_id is None else {"key_id": key_id}
    session.execute(update(Job).where(refused).values(not_before=at, **key))
    wake(session, ("jobs",))


def _kind(reason: Reason) -> tuple[FailureCode, NoticeKind]:
    return _OUT_OF_CREDITS if reason.code == ReasonCode.OUT_OF_CREDITS else _REFUSED


def _hold(session: Session, key: StudiiKey, reason: Reason, until: datetime, at: datetime) -> datetime | None:
    """Store the hold, or another failed attempt. Return since when the key is held, or None if unknown."""
    ledger.lock(session, key.guild_id)
    before = hold_of(session, key)
    since = at if before is None else before.since
    tries = 1 if before is None else before.tries + 1
    one = {"guild_id": key.guild_id}
    put(session, Hold, one, key_id=key.id, reason=reason, until=until, since=since, tries=tries)
    wake(session, ("holds",))
    hold_waiting(session, key.guild_id, key.id, reason, until)
    _tell_held(session, key, reason, at)
    return since


def _tell_held(session: Session, key: StudiiKey, reason: Reason, at: datetime) -> None:
    told: dict[str, str | int | None] = {"masked": key.masked, "reason": reason.encode()}
    _, kind = _kind(reason)
    posts.want(session, key.guild_id, kind, str(key.id), at=at, details=told)
