"""Results that members have starred, which a channel for the best shows with their makers' consent.

Each is a post, with the number of the result's message as its key. It waits until its maker has agreed.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base, ours, put, wake
from bot.jobs.models import Job, JobState
from bot.posts import Post
from bot.servers import settings

STAR = "⭐"  # an `Emoji.key`
MAX_STARS = 20  # that an admin can ask for
BEST, BEST_ASK = "best", "best_ask"  # the kinds of a starred result, and of the question to its maker
UNANSWERED = timedelta(days=30)  # a result that waits for its maker's answer is forgotten then


class BestConsent(Base):
    """A member who was asked whether their results may be shown. `agreed` is None until they answer.

    Who was not asked has no row.
    """

    __tablename__ = "best_consents"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    agreed: Mapped[bool | None] = mapped_column(default=None)


def get(session: Session, guild_id: int, message_id: int) -> Post | None:
    return posts.get(session, guild_id, BEST, str(message_id))


def result_of(session: Session, guild_id: int, message_id: int) -> Job | None:
    """Return the job whose result that message shows to everyone, the first one of a set."""
    return session.scalar(
        select(Job)
        .where(Job.result_message_id == message_id, Job.guild_id == guild_id)
        .where(Job.state == JobState.SUCCEEDED, ~Job.private)
        .where(Job.forgotten_at.is_(None), Job.scrubbed_at.is_(None))
        .order_by(Job.number)
        .limit(1)
    )


def known_of(
    session: Session, guild_id: int, message_id: int
) -> tuple[settings.GuildSettings, Post | None, Job | None]:
    """Return the server's settings, the message's post among the best, and the job whose result it shows."""
    best = get(session, guild_id, message_id)
    return settings.of(session, guild_id), best, result_of(session, guild_id, message_id)


def want(session: Session, job_id: str, channel_id: int, message_id: int, at: datetime) -> bool:
    """Have a result shown that has the stars, if its maker agrees. They are asked once.

    Return False if they have refused.
    """
    job = session.scalars(select(Job).filter_by(id=job_id)).one()
    maker, key = session.get(BestConsent, job.user_id), str(message_id)
    if maker is not None and maker.agreed is False:
        return False
    about = {"channel": channel_id, "message": message_id}
    posts.want(session, job.guild_id, BEST, key, at=at, job_id=job.id, details=about, again=True)
    if maker is None:
        ask = job.guild_id, BEST_ASK, str(job.user_id)
        posts.want(session, *ask, at=at, job_id=job.id, details=about, place=f"u{job.user_id}")
    return True


def unwant(session: Session, guild_id: int, message_ids: Collection[int], at: datetime) -> None:
    """Have these results taken back."""
    posts.unwant(session, guild_id, BEST, list(map(str, message_ids)), at)


def place(session: Session, guild_id: int, message_id: int) -> tuple[str, bool] | None:
    """Return where a starred result may be shown, and whether its maker has agreed; None if nowhere."""
    job, channel_id = result_of(session, guild_id, message_id), settings.of(session, guild_id).best_channel_id
    if job is None or channel_id is None:
        return None
    maker = session.get(BestConsent, job.user_id)
    return f"c{channel_id}", maker is not None and maker.agreed is True


def known(session: Session, limit: int, at: datetime) -> Sequence[Post]:
    """Return starred results, the newest first. Those that no one answers for are dropped."""
    silent = (Post.kind == BEST) & Post.message_id.is_(None) & Post.due_at.is_(None)
    session.execute(delete(Post).where(silent, Post.changed_at < at - UNANSWERED))
    found = select(Post).where(Post.kind == BEST).order_by(Post.changed_at.desc()).limit(limit)
    return session.scalars(ours(session, found, Post.__table__.c.guild_id)).all()


def recent(session: Session, since: datetime, limit: int) -> Sequence[Row[int, int, int | None]]:
    """Return server, channel and message of the newest results since then, where the best ones are shown.

    Of each server as many as of others, as far as it has them.
    """
    turn = func.row_number().over(partition_by=Job.guild_id, order_by=Job.number.desc())
    found = (
        select(Job.guild_id, func.coalesce(Job.result_channel_id, Job.channel_id), Job.result_message_id)
        .join(settings.GuildSettings, settings.GuildSettings.guild_id == Job.guild_id)
        .where(settings.GuildSettings.best_channel_id.is_not(None), Job.created_at > since)
        .where(Job.result_message_id.is_not(None), Job.state == JobState.SUCCEEDED, ~Job.private)
        .order_by(turn, Job.number.desc())
    )
    return session.execute(ours(session, found, Job.__table__.c.guild_id).limit(limit)).all()


def asked(session: Session, user_id: int, at: datetime) -> None:
    """Store that the member was asked."""
    put(session, BestConsent, {"user_id": user_id}, replace=False, at=at)


def answer(session: Session, user_id: int, at: datetime, *, agreed: bool) -> None:
    """Store whether the member's results may be shown, in every server. If not, they are taken back."""
    put(session, BestConsent, {"user_id": user_id}, agreed=agreed, at=at)
    if not agreed:
        take_back(session, user_id, None, at)
        return
    for post in _of_member(session, user_id, None):
        if post.wanted and post.message_id is None:
            post.version, post.due_at, post.changed_at = post.version + 1, at, at
    wake(session, ("posts",))


def take_back(session: Session, user_id: int, guild_id: int | None, at: datetime) -> None:
    """Have the member's results taken back, in one server or in all."""
    for post in _of_member(session, user_id, guild_id):
        posts.unwant(session, post.guild_id, BEST, [post.key], at)


def _of_member(session: Session, user_id: int, guild_id: int | None) -> Sequence[Post]:
    found = select(Post).join(Job, Job.id == Post.job_id).where(Post.kind == BEST, Job.user_id == user_id)
    return session.scalars(found if guild_id is None else found.where(Post.guild_id == guild_id)).all()
