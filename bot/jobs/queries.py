"""Find jobs: single ones, members' lists, and what waits for the engine."""

import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, case, exists, func, select, text
from sqlalchemy.orm import Session, aliased

from bot.base import ours, readable as readable_rows
from bot.clock import PUT_BACK
from bot.errors import Refused
from bot.jobs.models import ACTIVE_STATES, GOING_OR_DONE, SENT_STATES, Job, JobState, Trouble
from bot.languages import lazy
from bot.posts import BEST, MONTH, Post
from bot.servers import notices
from bot.servers.keys import StudiiKey
from bot.servers.settings import GuildSettings

_log = logging.getLogger(__name__)
UNKNOWN_JOB = lazy("There's no such job here. `/jobs` shows yours.")
ON_LANES = (JobState.WAITING, JobState.UPLOADING, *SENT_STATES)


def readable(session: Session, query: Select[Job]) -> list[Job]:
    """Return the jobs of the query. One whose row can't be read is logged, once, and others go on."""
    known: set[str] = session.info["unreadable"]

    def skip(job_id: str, error: Exception) -> None:  # whose words may quote the row
        if job_id not in known:
            _log.error(
                "Job %s can't be read (%s) and is skipped. Repair its row, or restore a backup",
                job_id,
                type(error).__name__,
            )
        known.add(job_id)

    return readable_rows(session, query, Job.id, skip)


def find(session: Session, job_id: str, *states: JobState) -> Job | None:
    """Return the job as it is now if it is in one of these states (in any without), locked until the end."""
    job = session.scalar(_locked(select(Job).where(Job.id == job_id)))
    return None if job is None or (states and job.state not in states) else job


def get(session: Session, job_id: str, *, locked: bool = False) -> Job | None:
    return next(iter(readable(session, _locked(select(Job).where(Job.id == job_id), locked))), None)


def in_server(session: Session, guild_id: int, job_id: str) -> Job:
    """Return the server's job. Raises `Refused` if it has none of that id: other servers' are none of its."""
    job = get(session, job_id)
    if job is None or job.guild_id != guild_id:
        raise Refused(UNKNOWN_JOB)
    return job


def some(session: Session, job_ids: Collection[str]) -> dict[str, Job]:
    """Return the jobs that exist, by id."""
    return {job.id: job for job in readable(session, select(Job).where(Job.id.in_(job_ids)))}


def of_set(session: Session, set_id: str, *, locked: bool = False) -> list[Job]:
    """Return the jobs of a set, in the order in which they were asked for."""
    return readable(session, _locked(select(Job).where(Job.set_id == set_id).order_by(Job.number), locked))


def in_states(session: Session, states: Iterable[JobState]) -> list[Job]:
    """Return jobs in these states, oldest first."""
    return readable(session, select(Job).where(Job.state.in_([*states])).order_by(Job.number))


def from_photo(session: Session, guild_id: int, message_id: int) -> list[Job]:
    """Return the jobs that were started from the photos in a member's message, by the bot itself or by others
    than their author; those that may be stopped still, or show the photo beside their result.
    """
    by_others = (
        select(Job.number)
        .where(Job.photo_author != Job.user_id)
        .where(Job.__table__.c.source_message_id == message_id)
    )
    # Each has an index. SQLite would read all jobs of the server for an OR, or to compare their server.
    started = select(Job.number).where(Job.origin_message_id == message_id).union(by_others)
    found = (
        select(Job)
        .where(Job.number.in_(started))
        .where(Job.state.in_(ACTIVE_STATES) | Job.source_file.is_not(None))
    )
    # What is made of a picture in a message of the bot's stays when that is deleted.
    result, ours = aliased(Job), (BEST, MONTH, *notices.TO_APPROVERS)
    shown = exists().where(result.result_message_id == message_id)
    posted = exists().where(Post.guild_id == guild_id, Post.kind.in_(ours), Post.message_id == message_id)
    return [one for one in readable(session, found.where(~shown, ~posted)) if one.guild_id == guild_id]


def page(
    session: Session,
    guild_id: int,
    user_id: int | None,
    offset: int,
    limit: int,
    *,
    states: Collection[JobState] | None = None,
    tool: str | None = None,
) -> list[Job]:
    """Return a page of jobs of a server, or of one member in it, newest first.

    A member's page is without those that they had erased. None of `states` or `tool`: all.
    """
    query = select(Job).where(Job.guild_id == guild_id).offset(offset).limit(limit)
    if states is not None:
        query = query.where(Job.state.in_(states))
    if tool is not None:
        query = query.where(Job.tool == tool)
    if user_id is None:
        return readable(session, query.order_by(Job.created_at.desc(), Job.number.desc()))
    theirs = (Job.user_id == user_id) & (Job.forgotten_at.is_(None) | Job.scrubbed_at.is_(None))
    return readable(session, query.where(theirs).order_by(Job.number.desc()))


def asked_once(session: Session, guild_id: int, user_id: int, once: str) -> list[Job]:
    """Return the member's job with that `once` key, with all of its set if it is in one, or none."""
    newest = readable(
        session,
        select(Job)
        .where(Job.guild_id == guild_id, Job.user_id == user_id, Job.once == once)
        .order_by(Job.number.desc())
        .limit(1),
    )
    return of_set(session, newest[0].set_id) if newest and newest[0].set_id is not None else newest


def going_or_done_of(session: Session, once: Collection[str]) -> set[str]:
    """Return those of the `once` keys that a job has which neither failed nor was cancelled."""
    found = session.scalars(select(Job.once).where(text(GOING_OR_DONE), Job.once.in_(once)))
    return {one for one in found if one is not None}


def _with_key(key_id: ColumnElement[int | None]) -> Select[Job, StudiiKey]:
    return (
        select(Job, StudiiKey)
        .outerjoin(GuildSettings, GuildSettings.guild_id == Job.guild_id)
        .outerjoin(StudiiKey, StudiiKey.id == key_id)
        .where(Job.id == bindparam("job"))
    )


# Built once: each request to Studii begins with one.
_WITH_KEYS = {True: _with_key(Job.__table__.c.key_id), False: _with_key(GuildSettings.__table__.c.key_id)}


def with_key(session: Session, job_id: str, *, sent: bool = False) -> tuple[Job | None, StudiiKey | None]:
    """Return the job and its server's current key, or the one that it was `sent` with, if there are any."""
    found = session.execute(_WITH_KEYS[sent], {"job": job_id}).first()
    return (None, None) if found is None else (found[0], found[1])


def on_lanes(session: Session, job_ids: Collection[str] | None = None) -> list[tuple[Job, StudiiKey | None]]:
    """Return jobs that still need requests to Studii, with the keys of these requests, oldest first.

    Those of `job_ids` alone, unless that is None. Waiting jobs of servers that seem to have removed the bot
    are left out.
    """
    wanted = (
        select(Job)
        .outerjoin(GuildSettings, GuildSettings.guild_id == Job.guild_id)
        .order_by(Job.number)
        .where(Job.state.in_(ON_LANES), Job.output_url.is_(None))
        .where((Job.state != JobState.WAITING) | GuildSettings.missing_since.is_(None))
    )
    if not (jobs := _ours(session, wanted if job_ids is None else wanted.where(Job.id.in_(job_ids)))):
        return []
    keys = session.execute(
        select(StudiiKey, GuildSettings.key_id)
        .outerjoin(GuildSettings, GuildSettings.key_id == StudiiKey.id)
        .where(StudiiKey.guild_id.in_({job.guild_id for job in jobs}))
    ).all()
    used = {key.id: key for key, _ in keys}
    current = {key.guild_id: key for key, current_id in keys if current_id is not None}
    return [
        (job, used.get(job.key_id or 0) if job.state is JobState.RUNNING else current.get(job.guild_id))
        for job in jobs
    ]


def to_take_in(session: Session, at: datetime, limit: int, *, freed: bool = False) -> list[Job]:
    """Return accepted jobs whose photo is to be fetched: one of each server, then a second of each.

    A server's come in the same order by member, the oldest first. `freed`: those that found no room are due,
    too. While a server's key is not served, its photos stay in their messages; one is fetched when it is time
    to try again and no other job can be tried.
    """
    other = aliased(Job)
    another = exists().where(other.guild_id == Job.guild_id, other.state == JobState.WAITING)
    due = _is_due(at) | (Job.trouble == Trouble.ROOM) if freed else _is_due(at)
    ready = case((Job.held.is_(None), due), else_=(Job.not_before <= at) & ~another)
    return _by_turn(session, limit, Job.state == JobState.RECEIVED, ready, one_if_held=True)


def next_to_take_in(session: Session) -> datetime | None:
    """Return when the next photo that was left alone is due, or was."""
    query = select(func.min(Job.not_before)).where(Job.state == JobState.RECEIVED)
    return session.scalar(ours(session, query, Job.__table__.c.guild_id))


def to_download(session: Session, at: datetime, limit: int) -> tuple[list[Job], datetime | None]:
    """Return running jobs whose output has an address and is due, in turn as in `to_take_in`.

    Return also when the next one is that was left alone.
    """
    ready = (Job.state == JobState.RUNNING) & Job.output_url.is_not(None)
    later = ours(session, select(func.min(Job.not_before)).where(ready), Job.__table__.c.guild_id)
    return _by_turn(session, limit, ready, _is_due(at)), session.scalar(later)


def with_files(session: Session) -> dict[str, int]:
    """Return the jobs whose files are still needed, with their servers: unfinished or not posted yet."""
    needs = Job.source_file.is_not(None) | Job.output_file.is_not(None)
    needs |= Job.state.in_((JobState.RECEIVED, JobState.RUNNING))
    return dict(session.execute(select(Job.id, Job.guild_id).where(needs)).all())


def kept_results(session: Session) -> list[Job]:
    """Return results that are kept although they were given up for posting, or withheld, and then those that
    wait for a moderator and can be fetched again, in the order in which they ended."""
    given_up = Job.state.in_((JobState.SUCCEEDED, JobState.WITHHELD)) & Job.announced_at.is_not(None)
    undecided = (Job.state == JobState.REVIEWING) & Job.output_url.is_not(None)
    kept = select(Job).where(given_up | undecided, Job.output_file.is_not(None))
    return _ours(session, kept.order_by(Job.state == JobState.REVIEWING, Job.finished_at, Job.number))


def _locked(query: Select[Job], locked: bool = True) -> Select[Job]:
    """Return the query of rows as they are now, locked until the transaction ends."""
    return query.with_for_update().execution_options(populate_existing=True) if locked else query


def _is_due(at: datetime) -> ColumnElement[bool]:
    return Job.not_before.is_(None) | (Job.not_before <= at) | (Job.not_before > at + PUT_BACK)


def _ours(session: Session, query: Select[Job]) -> list[Job]:
    return readable(session, ours(session, query, Job.__table__.c.guild_id))


def _by_turn(
    session: Session, limit: int, *which: ColumnElement[bool], one_if_held: bool = False
) -> list[Job]:
    """Return some of these jobs by their turn within their server. Members of a server alternate.

    With `one_if_held`, a server whose key is held has the first turn alone.
    """
    own = func.row_number().over(partition_by=(Job.guild_id, Job.user_id), order_by=Job.number)
    numbered = select(Job.number, Job.guild_id, own.label("own")).where(*which)
    by_member = ours(session, numbered, Job.__table__.c.guild_id).subquery("by_member")
    turn = func.row_number().over(
        partition_by=by_member.c.guild_id, order_by=(by_member.c.own, by_member.c.number)
    )
    turns = select(by_member.c.number, turn.label("turn")).subquery("turns")
    query = select(Job).join(turns, turns.c.number == Job.number).order_by(turns.c.turn, Job.number)
    if one_if_held:
        query = query.where(Job.held.is_(None) | (turns.c.turn == 1))
    return readable(session, query.limit(limit))
