"""Results that members have starred, which a channel for the best shows with their makers' consent.

Each is a post, with the number of the result's message as its key. It waits until its maker has agreed.
Those of a month may be shown once more together: another post, with the month as its key.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot import posts
from bot.base import Base, ours, put, wake
from bot.credits import budgets
from bot.jobs.models import Job, JobState
from bot.posts import BEST, MONTH, Post
from bot.servers import settings

STAR = "⭐"  # an `Emoji.key`
MAX_STARS = 20  # that an admin can ask for
BEST_ASK = "best_ask"  # the kind of the question to a starred result's maker
MONTH_DAYS = 3  # after a month's end it isn't shown any more
COUNTED = 50  # of a month's results, the newest: counting the stars of one takes a request


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
    return (
        settings.of(session, guild_id),
        get(session, guild_id, message_id),
        result_of(session, guild_id, message_id),
    )


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
        posts.want(
            session,
            job.guild_id,
            BEST_ASK,
            str(job.user_id),
            at=at,
            job_id=job.id,
            details=about,
            place=f"u{job.user_id}",
        )
    return True


def unwant(session: Session, guild_id: int, message_ids: Collection[int], at: datetime) -> None:
    """Have these results taken back."""
    found = select(Post).where(Post.guild_id == guild_id, Post.kind == BEST, Post.wanted)
    for post in session.scalars(found.where(Post.key.in_(list(map(str, message_ids))))).all():
        _take_back(session, post, at)


def place(session: Session, guild_id: int, message_id: int) -> tuple[str, bool] | None:
    """Return where a starred result may be shown, and whether its maker has agreed; None if nowhere."""
    job, channel_id = result_of(session, guild_id, message_id), settings.of(session, guild_id).best_channel_id
    if job is None or channel_id is None:
        return None
    maker = session.get(BestConsent, job.user_id)
    return f"c{channel_id}", maker is not None and maker.agreed is True


def known(session: Session, limit: int, at: datetime) -> Sequence[Post]:
    """Return starred results, the newest first. Those that no one answers for in a month are dropped."""
    silent = (Post.kind == BEST) & Post.message_id.is_(None) & Post.due_at.is_(None)
    session.execute(delete(Post).where(silent, Post.changed_at < at - timedelta(days=30)))
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
        _take_back(session, post, at)


def _take_back(session: Session, post: Post, at: datetime) -> None:
    """Have a result taken back, also from what shows its month, which goes with its last result."""
    posts.unwant(session, post.guild_id, BEST, [post.key], at)
    months = select(Post).where(Post.guild_id == post.guild_id, Post.kind == MONTH, Post.wanted)
    for month in session.scalars(months).all():
        since, until = _days(month)
        if since <= post.created_at < until and of_days(session, month.guild_id, month.place, since, until):
            posts.change(session, month.guild_id, MONTH, month.key, at)
        elif since <= post.created_at < until:
            posts.unwant(session, month.guild_id, MONTH, [month.key], at)


def _of_member(session: Session, user_id: int, guild_id: int | None) -> Sequence[Post]:
    found = select(Post).join(Job, Job.id == Post.job_id).where(Post.kind == BEST, Job.user_id == user_id)
    return session.scalars(found if guild_id is None else found.where(Post.guild_id == guild_id)).all()


def want_months(session: Session, at: datetime, latest: datetime) -> None:
    """Have the best results of the last month shown where admins want that, if it ended since `latest`."""
    for rules in session.scalars(
        select(settings.GuildSettings)
        .where(settings.GuildSettings.best_months, settings.GuildSettings.best_channel_id.is_not(None))
        .where(settings.GuildSettings.left_at.is_(None))
    ).all():
        zone = budgets.time_zone(rules.timezone)
        first = at.astimezone(zone).date().replace(day=1)
        month = (first - timedelta(days=1)).replace(day=1)
        since, until = budgets.beginning(month, zone), budgets.beginning(first, zone)
        place = f"c{rules.best_channel_id}"
        if until > latest and of_days(session, rules.guild_id, place, since, until):
            days = {"since": int(since.timestamp()), "until": int(until.timestamp())}
            posts.want(session, rules.guild_id, MONTH, f"{month:%Y-%m}", at=at, place=place, details=days)


def of_days(
    session: Session, guild_id: int, place: str, since: datetime, until: datetime
) -> list[tuple[Post, Job]]:
    """Return the results that are shown in that place and were starred in these days, the newest first.

    Who sees it sees them there too, with their makers' consent.
    """
    shown = select(Post, Job).join(Job, Job.id == Post.job_id).where(Post.guild_id == guild_id, Post.wanted)
    shown = shown.where(Post.kind == BEST, Post.place == place, Post.message_id.is_not(None))
    shown = shown.where(Post.created_at >= since, Post.created_at < until, ~Job.private)
    return [(post, job) for post, job in session.execute(shown.order_by(Post.id.desc()).limit(COUNTED))]


def of_month(
    session: Session, guild_id: int, key: str, at: datetime
) -> tuple[list[tuple[Post, Job]], int] | None:
    """Return the results that a month's post shows, and how many were made; None if it comes too late."""
    month = session.scalars(select(Post).filter_by(guild_id=guild_id, kind=MONTH, key=key)).one()
    since, until = _days(month)
    if month.message_id is None and at > until + timedelta(days=MONTH_DAYS):
        return None
    made = select(func.count()).where(Job.guild_id == guild_id, Job.state == JobState.SUCCEEDED)
    made = made.where(~Job.private, Job.finished_at >= since, Job.finished_at < until)
    return of_days(session, guild_id, month.place, since, until), session.scalars(made).one()


def _days(month: Post) -> tuple[datetime, datetime]:
    return (
        datetime.fromtimestamp(month.details["since"], UTC),
        datetime.fromtimestamp(month.details["until"], UTC),
    )
