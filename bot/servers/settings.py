"""Servers' settings, where the bot is, and the languages of members."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, event, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from bot import meta, posts
from bot.base import Base, Choice, ours, put, wake
from bot.languages import N_, Language, gettext
from bot.servers.notices import NoticeKind

APPLICATION = "application"  # the name under which the bot's own id is kept
MADE_WITH_AI = N_("Made with AI")
MAX_DISCLOSURE_CHARACTERS = 80  # of a disclosure
CORNERS = ("bottom-left", "bottom-right", "top-left", "top-right")


class Period(StrEnum):
    """The period after which a server's budget renews, in the server's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"  # a one-off total that never renews


class PhotoScope(StrEnum):
    """Determines whose photos a person may use."""

    ANYONE = "anyone"
    OWN = "own"  # moderators: anyone's


class Permit(StrEnum):
    """The people who may use an option."""

    EVERYONE = "everyone"
    MANAGERS = "managers"  # Manage Server
    NOBODY = "nobody"


class GuildSettings(Base):
    """A server's settings. A server without a row, or with empty columns, has the defaults.

    `results_channel_id`: results are posted there, not where they were asked for. `in_threads`: results are
    posted in a thread under the photo's message, if there is one. `splits`: a picture that is half before and
    half after is shown beside a result; `wipes`: one that moves from before to after. `disclosure` is said
    under each result; empty: nothing is. `staging_label` is written into that corner of a copy of a staged
    picture, which is shown beside it; empty: there is no copy. `best_channel_id`: results that get
    `best_stars` stars, or a moderator's, are shown there as well, and with `best_months` those of a month
    once more together. A one-off budget counts from `budget_since`.
    """

    __tablename__ = "guilds"

    guild_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("studii_keys.id"), default=None)
    budget_limit: Mapped[int] = mapped_column(Integer, nullable=True, default=100)
    budget_period: Mapped[Period] = mapped_column(
        Choice(Period, "budget_period"), nullable=True, default=Period.DAY
    )
    budget_since: Mapped[datetime | None] = mapped_column(default=None)  # None: the default budget applies
    timezone: Mapped[str] = mapped_column(nullable=True, default="UTC")
    paused_at: Mapped[datetime | None] = mapped_column(default=None)
    keeps_metadata: Mapped[bool | None] = mapped_column(default=None)  # location, camera and so on
    confirm_above: Mapped[int | None] = mapped_column(
        Integer, default=None
    )  # credits; asked before such a job
    left_at: Mapped[datetime | None] = mapped_column(default=None)
    missing_since: Mapped[datetime | None] = mapped_column(default=None)  # it seems to have removed the bot
    greeted_at: Mapped[datetime | None] = mapped_column(default=None)
    panel_posted_at: Mapped[datetime | None] = mapped_column(default=None)
    # Of its channels: the one that admins chose. Otherwise that of the admin who ran the setup, unless
    # Discord knows the server's language.
    chosen_language: Mapped[Language | None] = mapped_column("language", Choice(Language), default=None)
    admin_language: Mapped[Language | None] = mapped_column(Choice(Language), default=None)
    log_channel_id: Mapped[int | None] = mapped_column(default=None)
    log_results: Mapped[bool | None] = mapped_column(default=None)  # who made what goes there, too
    # Members' requests for credits are posted where they ask, for those with Manage Server, and not there.
    requests_in_place: Mapped[bool | None] = mapped_column(default=None)
    photos: Mapped[PhotoScope] = mapped_column(Choice(PhotoScope), nullable=True, default=PhotoScope.ANYONE)
    # Of tools that change a person's picture
    portraits: Mapped[PhotoScope] = mapped_column(Choice(PhotoScope), nullable=True, default=PhotoScope.OWN)
    private_for: Mapped[Permit] = mapped_column(Choice(Permit), nullable=True, default=Permit.EVERYONE)
    extra_for: Mapped[Permit] = mapped_column(Choice(Permit), nullable=True, default=Permit.MANAGERS)
    jobs_at_once: Mapped[int | None] = mapped_column(Integer, default=None)
    starts: Mapped[int | None] = mapped_column(Integer, default=None)
    starts_seconds: Mapped[int | None] = mapped_column(Integer, default=None)
    # Refusals by the word filter in a day that pause a member (0: none do), and the hours of the pause.
    refusals: Mapped[int] = mapped_column(Integer, nullable=True, default=5)
    pause_hours: Mapped[int] = mapped_column(Integer, nullable=True, default=12)
    approval_channel: Mapped[int | None] = mapped_column(default=None)
    approver_role: Mapped[int | None] = mapped_column(default=None)
    approval_everyone: Mapped[bool] = mapped_column(nullable=True, default=False)
    approval_results: Mapped[bool] = mapped_column(nullable=True, default=False)
    results_channel_id: Mapped[int | None] = mapped_column(default=None)
    in_threads: Mapped[bool] = mapped_column(nullable=True, default=False)
    splits: Mapped[bool] = mapped_column(nullable=True, default=False)
    wipes: Mapped[bool] = mapped_column(nullable=True, default=False)
    disclosure: Mapped[str] = mapped_column(nullable=True, default=MADE_WITH_AI)
    staging_label: Mapped[str] = mapped_column(nullable=True, default="")
    staging_corner: Mapped[str] = mapped_column(String(16), nullable=True, default=CORNERS[0])
    best_channel_id: Mapped[int | None] = mapped_column(default=None)
    best_stars: Mapped[int] = mapped_column(Integer, nullable=True, default=3)
    best_months: Mapped[bool] = mapped_column(nullable=True, default=False)

    @property
    def paused(self) -> bool:
        """Return whether new jobs are refused."""
        return self.paused_at is not None or self.missing_since is not None

    @property
    def disclosure_words(self) -> str:
        """Return the disclosure as shown: an admin's own words, or the default in the reader's language."""
        return gettext(MADE_WITH_AI) if self.disclosure == MADE_WITH_AI else self.disclosure


def _fill(row: GuildSettings, _context: object) -> None:
    """Set what is empty to its default. A column that came later is empty in rows of before."""
    default = GuildSettings(row.guild_id)
    for name in GuildSettings.__mapper__.column_attrs.keys():  # noqa: SIM118 - no mapping
        if getattr(row, name) is None:
            set_committed_value(row, name, getattr(default, name))


event.listen(GuildSettings, "load", _fill)


class MemberLanguage(Base):
    """The language in which a member last used the bot, for what they are sent by DM."""

    __tablename__ = "member_languages"
    __table_args__ = (Index(None, "seen_at"),)

    user_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    language: Mapped[Language] = mapped_column(Choice(Language))
    seen_at: Mapped[datetime]


def of(session: Session, guild_id: int) -> GuildSettings:
    """Return the server's settings, the defaults if it has none."""
    return session.get(GuildSettings, guild_id) or GuildSettings(guild_id)


def change(session: Session, guild_id: int, **values: Any) -> None:
    """Set some columns of the server's settings; those that are None have their defaults."""
    put(session, GuildSettings, {"guild_id": guild_id}, **values)
    if "best_channel_id" in values:  # admins are told again if that one is lost too
        posts.forget(session, guild_id, NoticeKind.BEST_LOST)
    wake(session, ("servers",))


def pause(session: Session, guild_id: int, at: datetime, *, paused: bool) -> bool:
    """Pause or resume new jobs. Running jobs continue. Return whether that is a change."""
    if of(session, guild_id).paused is paused:
        return False
    # Ending the pause takes a member of the server, so the bot is in it.
    change(session, guild_id, **({"paused_at": at} if paused else {"paused_at": None, "missing_since": None}))
    return True


def came(session: Session, guild_id: int, at: datetime) -> bool:
    """Note that the bot is in the server. Return whether to greet it, once for each stay."""
    greeted = of(session, guild_id).greeted_at
    change(session, guild_id, left_at=None, missing_since=None, greeted_at=greeted or at)
    return greeted is None


def compare(
    session: Session, application_id: int, there: Collection[int]
) -> tuple[list[int], list[int]] | None:
    """Compare the servers with those of Discord after an absence, or return None for another bot's token.

    Then no server of this database is there: that is a mistake, no farewell. Return the servers that added
    the bot, for which `came` is to be called, and those of which Discord does not speak any more.
    """
    mine, before = str(application_id).encode(), meta.get(session, APPLICATION)
    if before is not None and before != mine:
        return None
    known = set(present(session))
    meta.set_to(session, APPLICATION, mine)
    set_missing(session, known & set(there), None)
    return sorted(set(there) - known), sorted(known - set(there))


def missing(session: Session) -> dict[int, datetime | None]:
    """Return the servers that seem to have removed the bot, and since when; an operator decides."""
    return dict(
        session.execute(
            select(GuildSettings.guild_id, GuildSettings.missing_since)
            .where(GuildSettings.missing_since.is_not(None))
            .order_by(GuildSettings.guild_id)
        ).all()
    )


def set_missing(session: Session, guild_ids: Iterable[int], at: datetime | None) -> None:
    """Note since when the servers seem to have removed the bot, or None if they have not."""
    theirs = GuildSettings.guild_id.in_([*guild_ids]) & GuildSettings.left_at.is_(None)
    session.execute(update(GuildSettings).where(theirs).values(missing_since=at))
    wake(session, ("servers",))


def present(session: Session) -> list[int]:
    """Return those servers of this process that have settings and have not removed the bot."""
    there = select(GuildSettings.guild_id).where(GuildSettings.left_at.is_(None))
    return list(session.scalars(ours(session, there, GuildSettings.__table__.c.guild_id)))


def set_log(
    session: Session, guild_id: int, channel_id: int | None, *, results: bool = False, works: bool = False
) -> None:
    """Set the log channel, or clear it (None).

    Setting another channel, or one that is known to work (`works`), lets the owner be told again if it is
    lost.
    """
    if works or channel_id != of(session, guild_id).log_channel_id:
        posts.forget(session, guild_id, NoticeKind.LOG_LOST)
    change(session, guild_id, log_channel_id=channel_id, log_results=results)


def language_of(session: Session, user_id: int) -> Language | None:
    """Return the member's last known language, or None if they never used the bot themselves."""
    return session.scalar(select(MemberLanguage.language).where(MemberLanguage.user_id == user_id))


def note_languages(session: Session, languages: Mapping[int, Language], at: datetime) -> None:
    """Set the languages of some members."""
    for user_id, language in languages.items():
        put(session, MemberLanguage, {"user_id": user_id}, language=language, seen_at=at)
