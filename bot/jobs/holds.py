"""A server's key is held while Studii refuses it or its account is out of credits.

While it is held, the server's waiting jobs say why they wait, new jobs are refused, and one job tries again
from time to time. A hold begins with `hold` or `hold_running`, and ends with `end_hold` alone.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import case, update
from sqlalchemy.orm import Session

from bot import posts
from bot.base import put, wake
from bot.clock import PUT_BACK
from bot.credits import ledger
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Hold, Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.servers.keys import StudiiKey, current as current_key
from bot.servers.notices import NoticeKind

_OUT_OF_CREDITS = (FailureCode.CREDITS, NoticeKind.OUT_OF_CREDITS)
_REFUSED = (FailureCode.KEY, NoticeKind.KEY_REFUSED)
_NOT_FETCHED_OR_SENT = (JobState.RECEIVED, JobState.WAITING)


def hold(
    session: Session, key: StudiiKey, reason: Reason, until: datetime, at: datetime, *, oldest: datetime
) -> None:
    """Hold the key after Studii refused a job for that reason. Tell the admins once. Jobs that have waited
    for the key since before `oldest` end unpaid.
    """
    since = _hold(session, key, reason, until, at)
    for job in queries.in_states(session, _NOT_FETCHED_OR_SENT):
        if job.guild_id == key.guild_id and job.held and waited_too_long(job, oldest, since):
            transitions.fail_unpaid(session, job.id, job.state, _kind(reason)[0], reason, at)


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
    session.execute(
        update(Job)
        .where(these)
        .values(
            key_id=key_id,
            object_key=case((Job.key_id == key_id, Job.object_key)),  # an upload is its key's alone
            held=reason,
            not_before=until,
            version=Job.version + 1,
        )
    )
    wake(session, ("jobs",))


def poll_from(session: Session, guild_id: int, at: datetime, key_id: int | None = None) -> None:
    """Let the server's running jobs whose polls Studii refused be polled from `at` on.

    They get the key `key_id`, or keep theirs if it is None.
    """
    refused = update(Job).filter_by(guild_id=guild_id, state=JobState.RUNNING, output_url=None)
    session.execute(
        refused.where(Job.not_before.is_not(None)).values(
            not_before=at, key_id=Job.key_id if key_id is None else key_id
        )
    )
    wake(session, ("jobs",))


def _kind(reason: Reason) -> tuple[FailureCode, NoticeKind]:
    return _OUT_OF_CREDITS if reason.code == ReasonCode.OUT_OF_CREDITS else _REFUSED


def _hold(session: Session, key: StudiiKey, reason: Reason, until: datetime, at: datetime) -> datetime | None:
    """Store the hold, or another failed attempt. Return since when the key is held, or None if unknown."""
    ledger.lock(session, key.guild_id)
    before = hold_of(session, key)
    since = at if before is None else before.since
    put(
        session,
        Hold,
        {"guild_id": key.guild_id},
        key_id=key.id,
        reason=reason,
        until=until,
        since=since,
        tries=1 if before is None else before.tries + 1,
    )
    wake(session, ("holds",))
    hold_waiting(session, key.guild_id, key.id, reason, until)
    _tell_held(session, key, reason, at)
    return since


def _tell_held(session: Session, key: StudiiKey, reason: Reason, at: datetime) -> None:
    posts.want(
        session,
        key.guild_id,
        _kind(reason)[1],
        str(key.id),
        at=at,
        details={"masked": key.masked, "reason": reason.encode()},
    )
