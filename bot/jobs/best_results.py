"""Results that members have starred, which a channel for the best shows with their makers' consent."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Index, Integer, String, delete, func, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import Base, partial_index
from bot.db import ours, put, wake
from bot.features.posting import PostingRules
from bot.jobs.models import Job, JobState

STAR = "⭐"  # an `Emoji.key`
MAX_STARS = 20  # that an admin can ask for
UNANSWERED = timedelta(days=30)  # a result that waits for its maker's answer is forgotten then
# There is something to do: to show it, or to take it back.
OPEN_BEST = "posted_message_id IS NULL OR NOT wanted"


class BestResult(Base):
    """A starred result, by the message that shows it. It goes when it is taken back.

    `wanted`: it has the stars, and its message and its maker's data are there. `begun_at` is when showing it
    was first tried, and `posted_message_id` the message that shows it, in `posted_channel_id`.
    """

    __tablename__ = "best_results"
    __table_args__ = (
        Index(None, "user_id"),
        partial_index("ix_best_results_open", "since", rows=OPEN_BEST),
    )

    message_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    guild_id: Mapped[int]
    channel_id: Mapped[int]
    job_id: Mapped[str] = mapped_column(String(16))
    user_id: Mapped[int]  # its maker
    wanted: Mapped[bool]
    since: Mapped[datetime]  # when it got the stars, or lost them
    number: Mapped[int] = mapped_column(Integer, default=0)  # of its posting
    begun_at: Mapped[datetime | None] = mapped_column(default=None)
    posted_channel_id: Mapped[int | None] = mapped_column(default=None)
    posted_message_id: Mapped[int | None] = mapped_column(default=None)

    @property
    def nonce(self) -> str:
        """Return the nonce of its posting, at most 25 characters."""
        return f"b{self.job_id}-{self.number}"


class BestConsent(Base):
    """A member who was asked whether their results may be shown. `agreed` is None until they answer."""

    __tablename__ = "best_consents"

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    agreed: Mapped[bool | None] = mapped_column(default=None)


def get(session: Session, message_id: int) -> BestResult | None:
    return session.get(BestResult, message_id)


def result_of(session: Session, guild_id: int, message_id: int) -> Job | None:
    """Return the job whose result that message shows to everyone, the first one of a set."""
    shown = select(Job).where(Job.result_message_id == message_id, Job.guild_id == guild_id)
    shown = shown.where(Job.state == JobState.SUCCEEDED, ~Job.private)
    kept = shown.where(Job.forgotten_at.is_(None), Job.scrubbed_at.is_(None))
    return session.scalar(kept.order_by(Job.number).limit(1))


def want(
    session: Session,
    message_id: int,
    guild_id: int,
    channel_id: int,
    job_id: str,
    user_id: int,
    at: datetime,
) -> bool:
    """Have a result shown that has the stars, if its maker agrees. They are asked once.

    Return False if they have refused.
    """
    maker, known = consent(session, user_id), get(session, message_id)
    if maker is not None and maker.agreed is False:
        return False
    if known is None:
        session.add(BestResult(message_id, guild_id, channel_id, job_id, user_id, wanted=True, since=at))
    else:
        known.wanted = True  # starred again before it was taken back
    wake(session, ("best",))
    return True


def unwant(session: Session, guild_id: int, message_ids: Collection[int], at: datetime) -> None:
    """Have these results taken back."""
    theirs = BestResult.message_id.in_(message_ids) & (BestResult.guild_id == guild_id)
    session.execute(update(BestResult).where(theirs).values(wanted=False, since=at))
    wake(session, ("best",))


def to_serve(session: Session, limit: int) -> list[BestResult]:
    """Return results that are to be shown, asked about or taken back, the oldest first."""
    asked = BestConsent.user_id == BestResult.user_id
    found = select(BestResult).join(BestConsent, asked, isouter=True).where(text(f"({OPEN_BEST})"))
    found = found.where(~BestResult.wanted | BestConsent.agreed | BestConsent.user_id.is_(None))
    mine = ours(session, found, BestResult.__table__.c.guild_id)
    return list(session.scalars(mine.order_by(BestResult.since).limit(limit)))


def messages(session: Session, limit: int, at: datetime) -> list[int]:
    """Return the messages of starred results, the newest first. Those that nobody answers for are dropped."""
    silent = select(BestConsent.user_id).where(BestConsent.agreed.is_(None))
    unanswered = BestResult.posted_message_id.is_(None) & (BestResult.since < at - UNANSWERED)
    session.execute(delete(BestResult).where(unanswered, BestResult.user_id.in_(silent)))
    found = select(BestResult.message_id).order_by(BestResult.since.desc()).limit(limit)
    return list(session.scalars(ours(session, found, BestResult.__table__.c.guild_id)))


def latest(session: Session, limit: int) -> list[BestResult]:
    """Return wanted results, the newest first."""
    found = select(BestResult).where(BestResult.wanted).order_by(BestResult.since.desc()).limit(limit)
    return list(session.scalars(ours(session, found, BestResult.__table__.c.guild_id)))


def channels(session: Session, since: datetime, limit: int) -> list[tuple[int, int]]:
    """Return the servers and channels with results since then, in servers that show the best ones."""
    place = func.coalesce(Job.result_channel_id, Job.channel_id)
    found = select(Job.guild_id, place).join(PostingRules, PostingRules.guild_id == Job.guild_id)
    found = found.where(PostingRules.best_channel_id.is_not(None), Job.created_at > since)
    found = found.where(Job.result_message_id.is_not(None), Job.state == JobState.SUCCEEDED)
    mine = ours(session, found, Job.__table__.c.guild_id).distinct().limit(limit)
    return [(guild_id, channel_id) for guild_id, channel_id in session.execute(mine)]


def begun(session: Session, message_id: int, at: datetime) -> None:
    """Note that the result may have been shown from now on."""
    if (best := get(session, message_id)) is not None and best.begun_at is None:
        best.begun_at = at


def shown(session: Session, message_id: int, channel_id: int, posted: int) -> None:
    """Store the message that shows the result. It is taken back at once if it is not wanted any more."""
    if (best := get(session, message_id)) is not None:
        best.posted_channel_id, best.posted_message_id = channel_id, posted
    wake(session, ("best",))


def gone(session: Session, message_id: int) -> None:
    """Store that nothing shows the result any more. One that is wanted again is shown again."""
    best = get(session, message_id)
    if best is not None and best.wanted:
        best.posted_message_id, best.begun_at, best.number = None, None, best.number + 1
    elif best is not None:
        session.delete(best)
    wake(session, ("best",))


def drop(session: Session, message_id: int) -> None:
    """Forget a result that can't be shown."""
    session.execute(delete(BestResult).where(BestResult.message_id == message_id))


def consent(session: Session, user_id: int) -> BestConsent | None:
    """Return what the member said about their results, or None if they were not asked."""
    return session.get(BestConsent, user_id)


def asked(session: Session, user_id: int, at: datetime) -> None:
    """Store that the member was asked."""
    put(session, BestConsent, {"user_id": user_id}, replace=False, at=at)


def answer(session: Session, user_id: int, at: datetime, *, agreed: bool) -> None:
    """Store whether the member's results may be shown, in every server. If not, they are taken back."""
    put(session, BestConsent, {"user_id": user_id}, agreed=agreed, at=at)
    if not agreed:
        theirs = update(BestResult).where(BestResult.user_id == user_id)
        session.execute(theirs.values(wanted=False, since=at))
    wake(session, ("best",))
