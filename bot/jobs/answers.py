"""Answers to interactions that show how jobs are going, or that are still to be given: a row for each.

An interaction's token can edit its answer for 15 minutes. It is kept sealed, so that the next start, or the
process that takes over, goes on. A row ends with its last edit, or with what Discord doesn't take any more.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, String, bindparam, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, ours, partial_index, put
from bot.jobs import queries
from bot.jobs.models import Job

LIFETIME = timedelta(minutes=15)
LAST_EDIT = timedelta(minutes=14)  # after the interaction
PACE = timedelta(seconds=5)  # between two edits of one answer
IN_VIEW = timedelta(minutes=1)  # after the interaction, its person probably still sees the answer
PLACE_KNOWN_IN = timedelta(seconds=1)  # after the answer: the job is in its queue then


class Reply(Base):
    """An interaction's answer, for its person alone: it shows `subject`, a job or a set; else it is still to
    be given.

    `sealed` is what edits it. `life` is the process, or the start, whose handler is to give it. `shown` is
    what it shows, as a digest.
    """

    __tablename__ = "answers"
    __table_args__ = (partial_index("ix_answers_subject", "subject", rows="subject IS NOT NULL"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the interaction's
    guild_id: Mapped[int]
    user_id: Mapped[int]
    sealed: Mapped[bytes] = mapped_column(repr=False)
    life: Mapped[int]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)  # when to look at it next
    subject: Mapped[str | None] = mapped_column(String(16), default=None)
    shown: Mapped[str] = mapped_column(String(16), default="")
    edited_at: Mapped[datetime | None] = mapped_column(default=None)
    tries: Mapped[int] = mapped_column(default=0)  # that failed in a row
    late: Mapped[str] = mapped_column(String(8), insert_default="change", init=False)  # read by 1.0 alone


def once_key_of(interaction_id: int, number: int = 0) -> str:
    """Return the key (`Job.once`) of the job that an interaction starts, or of one of its set, from 0."""
    return f"interaction:{interaction_id}:{number}"


def subject_of(job: Job) -> str:
    """Return what shows the job: its set, or itself, as one whose result is shown again."""
    return job.id if job.set_id is None or job.posting > 0 else job.set_id


def keep(session: Session, interaction_id: int, **values: Any) -> None:
    """Keep an answer. It takes the place of those that show the same to the same person."""
    if values.get("subject") is not None:
        same = (Reply.subject == values["subject"]) & (Reply.user_id == values["user_id"])
        session.execute(delete(Reply).where(same, Reply.id != interaction_id))
    put(session, Reply, {"id": interaction_id}, **values)


def note(session: Session, interaction_id: int, **changes: Any) -> None:
    """Change what is known of an answer, if it is still kept."""
    session.execute(update(Reply).where(Reply.id == interaction_id).values(changes))


def drop(session: Session, interaction_id: int) -> None:
    """Forget an answer: it was given, or can't be edited any more."""
    session.execute(delete(Reply).where(Reply.id == interaction_id))


def of(session: Session, subject: str, user_id: int, after: datetime) -> Reply | None:
    """Return the newest answer to the person that shows the subject, of an interaction after that time."""
    return session.scalar(
        select(Reply)
        .where(Reply.subject == subject, Reply.user_id == user_id)
        .where(Reply.created_at > after)
        .order_by(Reply.created_at.desc())
        .limit(1)
    )


def inherit(session: Session, life: int, at: datetime) -> None:
    """Let the answers be given, or looked at, now that another life has left."""
    theirs = ours(session, select(Reply.id).where(Reply.life != life), Reply.__table__.c.guild_id)
    session.execute(update(Reply).where(Reply.id.in_(theirs)).values(life=life, due_at=at))


# Built once: they are asked after each change of a job.
_RESTED = Reply.edited_at.is_(None) | (Reply.edited_at <= bindparam("rested"))
_ENDED = Reply.subject.in_(bindparam("ended", expanding=True))
_NEWS = (Reply.subject.in_(bindparam("changed", expanding=True)) & _RESTED) | _ENDED
_LOOKED_AT = (
    select(Reply)
    .where((Reply.due_at <= bindparam("now")) | _NEWS, Reply.id.not_in(bindparam("busy", expanding=True)))
    .limit(bindparam("room", type_=Integer))
)
_NEXT_DUE = select(func.min(Reply.due_at))


def due(
    session: Session,
    now: datetime,
    changed: Mapping[str, bool],
    busy: Collection[int],
    room: int,
) -> tuple[list[tuple[Reply, Sequence[Job]]], datetime | None]:
    """Return answers to look at with their jobs, or when the next one is due if there are none.

    These are the due ones, and those of subjects that have `changed`, unless they were edited a moment ago;
    that jobs have ended (True) is shown at once.
    """
    about = {
        "now": now,
        "rested": now - PACE,
        "changed": list(changed),
        "ended": [one for one, over in changed.items() if over],
        "busy": list(busy),
        "room": room,
    }
    server = Reply.__table__.c.guild_id
    next_due = session.scalar(ours(session, _NEXT_DUE, server))
    some = bool(changed) or (next_due is not None and next_due <= now)
    found = session.scalars(ours(session, _LOOKED_AT, server), about).all() if some else ()
    if not found:
        return [], next_due
    shown = jobs_of(session, {answer.subject for answer in found if answer.subject is not None})
    return [
        (
            answer,
            queries.asked_once(session, answer.guild_id, answer.user_id, once_key_of(answer.id))
            if answer.subject is None
            else shown[answer.subject],
        )
        for answer in found
    ], None


def jobs_of(session: Session, subjects: Collection[str]) -> Mapping[str, Sequence[Job]]:
    """Return the jobs of each subject, in their order."""
    found: dict[str, list[Job]] = {one: [] for one in subjects}
    either = Job.set_id.in_(subjects) | Job.id.in_(subjects)
    for job in queries.readable(session, select(Job).where(either).order_by(Job.number)) if subjects else ():
        for one in {job.id, job.set_id} & found.keys():
            found[one or ""].append(job)
    return found
