"""Notices: what admins, owners and members are sent without having asked, each once.

A row stays after its notice was posted, so that it is not posted again.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum, auto
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, UniqueConstraint, case, delete, func, literal, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import NUMBER, Base, Choice, partial_index
from bot.db import ours, put, wake

KEY_LENGTH = 64
Details = Mapping[str, str | int | None]


class Addressee(Enum):
    """The recipient of a notice."""

    LOG = auto()  # the log channel; without one, no one
    LOG_OR_OWNER = auto()  # the log channel; without one, the server's owner by DM, as an admin has to act
    OWNER = auto()  # the server's owner, by DM
    MEMBER = auto()  # the member whose id is `user` in the notice's details, by DM
    APPROVERS = auto()  # the channel for approvals


class NoticeKind(StrEnum):
    """The kinds of notices. Each has its `addressee`."""

    BUDGET_80 = "budget_80"
    BUDGET_100 = "budget_100"
    KEY_REFUSED = "key_refused"
    OUT_OF_CREDITS = "out_of_credits"  # of the account, or its spend cap is reached
    UNKNOWN = "unknown"  # a job's outcome is unknown
    STILL_RUNNING = "still_running"  # a job has been running for a day
    RESULT_LOST = "result_lost"  # paid for, and neither the bot nor Studii's address has it
    MADE = "made"  # a result, where these are logged
    PLAN_DOUBTED = "plan_doubted"  # Studii refuses requests well below the plan's limit
    WORDS = "words"  # a word rule refused what a member asked for
    APPROVAL = "approval"  # a request waits for approval
    REVIEW = "review"  # a result waits for approval
    DECIDED = "decided"  # there is nothing to decide any more: one of these two is reduced to that
    CREDITS_ASKED = "credits_asked"  # a member asks for more credits; it can be posted where they ask
    CREDITS_ANSWER = "credits_answer"  # what became of that
    BLOCKED = "blocked"  # an admin has blocked a member
    BEST_LOST = "best_lost"  # the channel for the best results is gone
    LOG_LOST = "log_lost"  # the log channel is gone

    @property
    def addressee(self) -> Addressee:
        """Return who gets a notice of this kind."""
        return _ADDRESSEES[self]


_ADDRESSEES = {
    NoticeKind.BUDGET_80: Addressee.LOG,
    NoticeKind.BUDGET_100: Addressee.LOG,
    NoticeKind.KEY_REFUSED: Addressee.LOG_OR_OWNER,
    NoticeKind.OUT_OF_CREDITS: Addressee.LOG_OR_OWNER,
    NoticeKind.UNKNOWN: Addressee.LOG_OR_OWNER,
    NoticeKind.STILL_RUNNING: Addressee.LOG_OR_OWNER,
    NoticeKind.RESULT_LOST: Addressee.LOG_OR_OWNER,
    NoticeKind.MADE: Addressee.LOG,
    NoticeKind.PLAN_DOUBTED: Addressee.LOG_OR_OWNER,
    NoticeKind.WORDS: Addressee.LOG,
    NoticeKind.APPROVAL: Addressee.APPROVERS,
    NoticeKind.REVIEW: Addressee.APPROVERS,
    NoticeKind.DECIDED: Addressee.APPROVERS,
    NoticeKind.CREDITS_ASKED: Addressee.LOG_OR_OWNER,
    NoticeKind.CREDITS_ANSWER: Addressee.MEMBER,
    NoticeKind.BLOCKED: Addressee.MEMBER,
    NoticeKind.BEST_LOST: Addressee.LOG_OR_OWNER,
    NoticeKind.LOG_LOST: Addressee.OWNER,
}
CHANNEL = "channel"  # in the details of a notice whose message is changed later: where it is
# Notices that quote a person: the quotation is erased once they are posted. Their keys begin with the member.
QUOTING = frozenset({NoticeKind.WORDS, NoticeKind.BLOCKED})


class Notice(Base):
    """A notice, posted once. A server has one of each `kind` and `key`.

    `details` are the arguments of its text, as they were when it was added.
    """

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("guild_id", "kind", "key"),
        partial_index("ix_notices_open", "id", rows="posted_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(NUMBER, primary_key=True)
    guild_id: Mapped[int]
    kind: Mapped[NoticeKind] = mapped_column(Choice(NoticeKind))
    key: Mapped[str] = mapped_column(String(KEY_LENGTH))
    details: Mapped[dict[str, Any]] = mapped_column(repr=False)
    created_at: Mapped[datetime]
    job_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("jobs.id"), default=None)
    posted_at: Mapped[datetime | None] = mapped_column(default=None)  # when it was posted or given up
    message_id: Mapped[int | None] = mapped_column(default=None)

    @property
    def nonce(self) -> str:
        """Return the nonce of its posting, at most 25 characters."""
        return f"notice-{self.id}"


_NOT_POSTED = Notice.posted_at.is_(None)


def add(
    session: Session,
    guild_id: int,
    kind: NoticeKind,
    key: str,
    *,
    at: datetime,
    job_id: str | None = None,
    details: Details | None = None,
) -> bool:
    """Add a notice. Return False if there is one with that kind and key (at most 64 characters)."""
    if len(key) > KEY_LENGTH:
        raise ValueError("a notice's key is at most 64 characters long")
    one = {"guild_id": guild_id, "kind": kind, "key": key}
    added = put(
        session, Notice, one, replace=False, details=dict(details or {}), job_id=job_id, created_at=at
    )
    if added:
        wake(session, ("notices", guild_id))
    return added


def known(session: Session, guild_id: int, kind: NoticeKind, *keys: str) -> bool:
    """Return whether there is a notice with one of these keys, posted or not."""
    one = select(Notice.id).where(Notice.guild_id == guild_id, Notice.kind == kind, Notice.key.in_(keys))
    return session.scalar(one.limit(1)) is not None


def get(session: Session, guild_id: int, kind: NoticeKind, key: str) -> Notice | None:
    """Return the notice of that kind and key, posted or not."""
    return session.scalar(select(Notice).filter_by(guild_id=guild_id, kind=kind, key=key))


def pending(session: Session, limit: int, guild_id: int | None = None) -> list[Notice]:
    """Return notices that were not posted yet, oldest first; with `guild_id`, those of that server."""
    found = select(Notice).where(_NOT_POSTED).order_by(Notice.id).limit(limit)
    return list(session.scalars(found if guild_id is None else found.where(Notice.guild_id == guild_id)))


def servers_waiting(session: Session, limit: int) -> list[int]:
    """Return servers with notices that were not posted yet, those with the oldest first."""
    # An expression rather than the column, so that SQLite reads the few open notices by their index, and not
    # all notices in the order of servers.
    server = Notice.guild_id + 0
    waiting = select(server).where(_NOT_POSTED).group_by(server).order_by(func.min(Notice.id)).limit(limit)
    return list(session.scalars(ours(session, waiting, Notice.__table__.c.guild_id)))


def close(
    session: Session,
    notice_id: int,
    at: datetime,
    message_id: int | None = None,
    channel_id: int | None = None,
) -> None:
    """Mark the notice as posted (as that message) or given up (None). What it quotes is erased.

    With `channel_id`, its details are where the message is, and nothing else.

    The row stays: SQLite gives the number of the last row, once deleted, to the next one, and Discord would
    take that for this notice (see `Notice.nonce`).
    """
    details: Any = {CHANNEL: channel_id}
    if channel_id is None:
        details = case((Notice.kind.in_(QUOTING), literal({}, JSON)), else_=Notice.details)
    closed = update(Notice).where(Notice.id == notice_id)
    session.execute(closed.values(posted_at=at, message_id=message_id, details=details))


def forget_member(session: Session, user_id: int, at: datetime, guild_id: int | None = None) -> None:
    """Erase what notices quote of the member that were not posted yet, in one server or (None) all."""
    quoting = update(Notice).where(
        Notice.kind.in_(QUOTING), Notice.key.startswith(f"{user_id}:"), _NOT_POSTED
    )
    if guild_id is not None:
        quoting = quoting.where(Notice.guild_id == guild_id)
    session.execute(quoting.values(details={}, posted_at=at))


def forget(session: Session, guild_id: int, kind: NoticeKind) -> None:
    """Delete the server's notices of that kind, posted or not, so that they can be added again."""
    session.execute(delete(Notice).filter_by(guild_id=guild_id, kind=kind))
