"""The cards of jobs: which message shows which version."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, case, select, text, update
from sqlalchemy.orm import Session

from bot.credits import ledger
from bot.db import ours
from bot.jobs.models import ACTIVE_STATES, CARD_NEVER_SEEN, NO_CARD_YET, SUPERSEDED_CARD, Job, JobState
from bot.jobs.queries import LAST_WORDS, find, of_set
from bot.unreadable import readable


@dataclass(frozen=True, slots=True)
class CardShown:
    """A job's card is that message, and shows that version of the job."""

    job_id: str
    message_id: int
    version: int


def note_versions(session: Session, versions: Mapping[str, int]) -> None:
    """Record the versions that jobs' cards show, by job, unless newer ones are recorded."""
    lock_servers_of(session, versions)
    for job_id, version in versions.items():  # only who shows the cards has to know
        older = (Job.id == job_id) & (Job.card_version < version)
        session.execute(update(Job).where(older).values(card_version=version))


def note_shown(session: Session, shown: Sequence[CardShown]) -> list[None]:
    """Store which messages are the cards of these jobs, and the versions that they show.

    A message that was found and edited meanwhile keeps its newer version.
    """
    ids = [one.job_id for one in shown]
    lock_servers_of(session, ids)
    query = select(Job).where(Job.id.in_(ids)).order_by(Job.number).with_for_update()
    jobs = {job.id: job for job in session.scalars(query.execution_options(populate_existing=True))}
    for one in shown:
        if (job := jobs.get(one.job_id)) is not None:
            if job.card_message_id != one.message_id or job.card_version < one.version:
                job.card_version = one.version
            job.card_message_id = one.message_id
    return [None] * len(shown)


def stale(session: Session, limit: int) -> list[Job]:
    """Return jobs whose card shows an older version: ended ones first, then by time of change."""
    older = select(Job).where(Job.card_message_id.is_not(None), Job.card_version < Job.version)
    ended = case((Job.state.in_(LAST_WORDS), 0), else_=1)
    return _ours(session, older.order_by(ended, Job.changed_at, Job.number).limit(limit))


def superseded(session: Session, limit: int) -> list[Job]:
    """Return jobs whose card is to be removed, the oldest posting first."""
    gone = select(Job).where(text(SUPERSEDED_CARD)).order_by(Job.card_superseded_at, Job.number)
    return readable(session, gone.limit(limit))


def removed(session: Session, job_ids: Collection[str]) -> None:
    """Record that these jobs, whose card a posting has superseded, have no card any more."""
    lock_servers_of(session, job_ids)
    these = Job.id.in_(job_ids) & text(SUPERSEDED_CARD)  # only who shows the cards has to know
    none = {"card_message_id": None, "card_superseded_at": None, "card_version": Job.version}
    session.execute(update(Job).where(these).values(none), execution_options={"synchronize_session": False})


def supersede_of_set(session: Session, set_id: str, at: datetime) -> None:
    """Record that postings have taken the place of a set's card, which is removed for one of its jobs."""
    keeper: Job | None = None
    for job in of_set(session, set_id):
        job.card_superseded_at = at
        if job.card_message_id is not None and keeper is not None:
            job.card_message_id, job.card_version = None, job.version
        keeper = keeper or (job if job.card_message_id is not None else None)


def wanted(session: Session, limit: int) -> list[Job]:
    """Return unfinished jobs whose card the bot has not posted yet, oldest first."""
    missing = select(Job).where(text(NO_CARD_YET), Job.state.in_(ACTIVE_STATES))
    return _ours(session, missing.order_by(Job.number).limit(limit))


def lost(session: Session, after: datetime, before: datetime, limit: int) -> list[Job]:
    """Return jobs accepted in between whose card may exist without a stored message id, oldest first.

    Private jobs are left out: ephemeral messages can't be found in a channel.
    """
    unseen = select(Job).where(text(CARD_NEVER_SEEN), ~Job.private)
    unseen = unseen.where(Job.created_at > after, Job.created_at < before)
    return _ours(session, unseen.order_by(Job.created_at).limit(limit))


def found(session: Session, job_id: str, message_id: int | None) -> None:
    """Store the message id of a lost card, or (None) that it has none. Keeps an id stored meanwhile."""
    job = find(session, job_id)
    if (
        job is None
        or job.origin_message_id is not None
        or job.card_message_id is not None
        or job.card_version
    ):
        return
    job.card_message_id, job.card_version = message_id, 0 if message_id else job.version


def unfinished(session: Session, job_ids: Collection[str]) -> list[Job]:
    """Return those of the jobs that wait or run and have a card, oldest first."""
    going = Job.id.in_(job_ids) & Job.state.in_((JobState.WAITING, JobState.RUNNING))
    query = select(Job).where(going, Job.card_message_id.is_not(None))
    return readable(session, query.order_by(Job.number)) if job_ids else []


def lock_servers_of(session: Session, job_ids: Collection[str]) -> None:
    """Take the locks of these jobs' servers before several of the jobs are changed."""
    if len(job_ids) > 1:
        ledger.lock(session, *session.scalars(select(Job.guild_id).where(Job.id.in_(job_ids))))


def _ours(session: Session, query: Select[Job]) -> list[Job]:
    return readable(session, ours(session, query, Job.__table__.c.guild_id))
