"""Small pictures of results, which `/jobs` shows. They come and go with the job's result."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base
from bot.jobs import queries
from bot.jobs.models import Job, JobState

KEPT = timedelta(days=30)  # so that the table stays small: of older results, `/jobs` shows what was posted
LOOKED_THROUGH = 300  # of a server's results, for those of its styles


class Thumbnail(Base):
    """A WebP of a few kilobytes, made when the result was looked at."""

    __tablename__ = "thumbnails"

    job_id: Mapped[str] = mapped_column(
        String(16), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
    )
    guild_id: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(index=True)
    data: Mapped[bytes] = mapped_column(LargeBinary, repr=False)


def of(session: Session, job_ids: Collection[str]) -> dict[str, bytes]:
    """Return the thumbnails of these jobs that there are."""
    found = select(Thumbnail.job_id, Thumbnail.data).where(Thumbnail.job_id.in_(job_ids))
    return {one.job_id: one.data for one in session.execute(found)}


def public(session: Session, guild_id: int, tools: Collection[str], at: datetime) -> list[Job]:
    """Return the newest results of these tools that have one and were posted in a channel of the server.

    Without those whose members asked to be forgotten.
    """
    posted = (Job.state == JobState.SUCCEEDED) & Job.result_message_id.is_not(None)
    for_all = Job.private.is_(False) & Job.result_by_dm.is_not(True)
    kept = Job.forgotten_at.is_(None) & Job.scrubbed_at.is_(None)
    found = (
        select(Job)
        .join(Thumbnail, Thumbnail.job_id == Job.id)
        .where(Job.guild_id == guild_id, Job.created_at > at - KEPT, Job.tool.in_(tools))
        .where(posted, for_all, kept)
        .order_by(Job.created_at.desc(), Job.number.desc())
    )
    return queries.readable(session, found.limit(LOOKED_THROUGH))


def shown_in(session: Session, message_ids: Collection[int]) -> Sequence[str]:
    """Return the jobs that have one, and whose results these messages show."""
    shown = Thumbnail.job_id.in_(select(Job.id).where(Job.result_message_id.in_(message_ids)))
    return session.scalars(select(Thumbnail.job_id).where(shown)).all()


def drop(session: Session, job_ids: Collection[str]) -> None:
    """Delete those of these jobs."""
    session.execute(delete(Thumbnail).where(Thumbnail.job_id.in_(job_ids)))


def drop_own(session: Session, user_id: int, which: str) -> None:
    """Delete those of the member's job, or set of jobs, with that id."""
    theirs = select(Job.id).where(Job.user_id == user_id, (Job.id == which) | (Job.set_id == which))
    session.execute(delete(Thumbnail).where(Thumbnail.job_id.in_(theirs)))
