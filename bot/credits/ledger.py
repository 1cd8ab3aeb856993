"""The ledger: credits that jobs reserve and pay, and that admins grant.

Lines are only added; the balances on jobs change in the same transaction. For each job: reserved +
corrections = settled + released + still reserved.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    case,
    cast,
    exists,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import NUMBER, Base, Choice, partial_index
from bot.jobs.models import FORGOTTEN_MEMBER, TERMINAL_STATES, Job, jobs


class EntryKind(StrEnum):
    """The kind of a line of the ledger."""

    RESERVE = "reserve"
    CORRECT = "correct"
    SETTLE = "settle"
    RELEASE = "release"
    GRANT = "grant"
    ADJUST = "adjust"


class Line(Base):
    """A line of the ledger, in whole credits. A job is reserved, settled and released at most once each.

    An admin's line names no job, and the `period` in which it counts (see `budgets.budget_period`).
    """

    __tablename__ = "ledger"
    __table_args__ = (
        Index(None, "guild_id", "at"),
        Index(None, "job_id"),
        partial_index(
            "uq_ledger_once", "job_id", "kind", unique=True, rows="kind IN ('reserve', 'settle', 'release')"
        ),
        partial_index("ix_ledger_grants", "guild_id", "period", "user_id", "amount", rows="job_id IS NULL"),
    )

    guild_id: Mapped[int]
    user_id: Mapped[int | None]
    kind: Mapped[EntryKind] = mapped_column(Choice(EntryKind, "kind"))
    amount: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime]
    job_id: Mapped[str | None] = mapped_column(String(16), ForeignKey("jobs.id"), default=None)
    period: Mapped[str | None] = mapped_column(String(48), default=None)
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of time, from `start` until before `end`. None means that it has no start or no end."""

    start: datetime | None
    end: datetime | None

    def holds(self, moment: ColumnElement[datetime] | Any) -> list[ColumnElement[bool]]:
        """Return the conditions that the moment is within the window."""
        since = [] if self.start is None else [moment >= self.start]
        return since if self.end is None else [*since, moment < self.end]


@dataclass(frozen=True, slots=True)
class Usage:
    """Credits that a server, or one member in it, used within a window."""

    settled: int = 0
    reserved: int = 0

    @property
    def spent(self) -> int:
        return self.settled + self.reserved

    def with_reserved(self, amount: int) -> "Usage":
        """Return the usage after so much more is reserved."""
        return replace(self, reserved=self.reserved + amount)


def lock(session: Session, *guild_ids: int) -> None:
    """Keep other transactions from accepting jobs for these servers until this one ends.

    A transaction that needs several locks takes them in this order, so that no two transactions wait for each
    other: lanes' by name, servers' by id, then rows. Two kinds of transactions change rows of several jobs:
    those that learn a price with a key, which hold its lane's lock and its servers', and those that hold
    their server's. SQLite has one write transaction at a time anyway.
    """
    if guild_ids and session.get_bind().dialect.name != "sqlite":
        ids = func.unnest(cast(sorted(set(guild_ids)), ARRAY(BigInteger))).column_valued("guild_id")
        session.execute(select(func.pg_advisory_xact_lock(ids)))


def reserve(session: Session, accepted: Sequence[Job], at: datetime) -> None:
    """Add the lines of new jobs, whose rows already say what they reserve."""
    _add(session, [_line(job, EntryKind.RESERVE, job.reserved, at) for job in accepted])


def correct(session: Session, some: Collection[Job], charge: int, at: datetime) -> None:
    """Change the reservations of these jobs to what they will be charged, higher or lower.

    The transaction has found and locked them. Raises `ValueError` if one that changes was settled before.
    """
    different = [job for job in some if job.reserved != charge]
    _add(session, [_line(job, EntryKind.CORRECT, charge - job.reserved, at) for job in different])
    for job in different:
        job.reserved = charge


def settle(session: Session, job: Job, charge: int, at: datetime) -> Job:
    """Settle a job that this transaction has found, and release the rest of its reservation.

    At 0, all of it is released. Raises `ValueError` if it was settled or released before.
    """
    rest = job.reserved - charge
    _add(
        session,
        [
            *([_line(job, EntryKind.CORRECT, -rest, at)] if rest < 0 else []),
            *([_line(job, EntryKind.SETTLE, charge, at)] if charge else []),
            *([_line(job, EntryKind.RELEASE, rest, at)] if rest > 0 or not charge else []),
        ],
    )
    job.reserved, job.settled, job.resolved_at = 0, charge, at
    return job


def grant(
    session: Session, guild_id: int, user_id: int | None, amount: int, period: str, at: datetime
) -> None:
    """Grant credits for the period to the server or to one member. A negative amount takes them back."""
    kind = EntryKind.GRANT if amount >= 0 else EntryKind.ADJUST
    session.add(Line(guild_id, user_id, kind, amount, at, period=period))


def used(
    session: Session, guild_ids: Collection[int], within: Window, members: Collection[int] = ()
) -> dict[int, dict[int | None, Usage]]:
    """Return what jobs that were accepted within the window use, by server.

    Of each of `members`, and of all others together as None. It is one statement, as each command asks.
    """
    who = case((jobs.c.user_id.in_(members), jobs.c.user_id)) if members else null()
    sums = select(
        jobs.c.guild_id, who.label("who"), func.sum(jobs.c.settled), func.sum(jobs.c.reserved)
    ).where(jobs.c.guild_id.in_(guild_ids), *within.holds(jobs.c.created_at))
    found: dict[int, dict[int | None, Usage]] = {guild_id: {} for guild_id in guild_ids}
    grouped = sums.group_by(jobs.c.guild_id, *([who] if members else []))
    for guild_id, user_id, settled, reserved in session.execute(grouped):
        found[guild_id][user_id] = Usage(int(settled), int(reserved))
    return found


def grants(session: Session, guild_ids: Collection[int], period: str) -> dict[int, dict[int | None, int]]:
    """Return the sums of grants for the period, by server and member. None is the server's own."""
    given = select(Line.guild_id, Line.user_id, func.sum(Line.amount)).where(
        Line.guild_id.in_(guild_ids), Line.job_id.is_(None), Line.period == period
    )
    found: dict[int, dict[int | None, int]] = {guild_id: {} for guild_id in guild_ids}
    for guild_id, user_id, amount in session.execute(given.group_by(Line.guild_id, Line.user_id)):
        found[guild_id][user_id] = int(amount)
    return found


def differing(session: Session) -> list[str]:
    """Compare each job's balances with the sums of its lines. Return a sentence for each that differs."""
    sums = {kind: func.coalesce(func.sum(case((Line.kind == kind, Line.amount))), 0) for kind in EntryKind}
    put_aside = sums[EntryKind.RESERVE] + sums[EntryKind.CORRECT]
    paid, released = sums[EntryKind.SETTLE], sums[EntryKind.RELEASE]
    ends = func.count(case((Line.kind.in_([EntryKind.SETTLE, EntryKind.RELEASE]), Line.id)))
    owners = func.count(
        case(((Line.guild_id != jobs.c.guild_id) | Line.user_id.is_distinct_from(jobs.c.user_id), Line.id))
    )
    resolved = jobs.c.resolved_at.is_not(None)
    wrong = (
        (put_aside - paid - released != jobs.c.reserved)
        | (paid != jobs.c.settled)
        | (resolved != (ends > 0))
        | (resolved & (jobs.c.reserved != 0))
        | (~resolved & jobs.c.state.in_(TERMINAL_STATES) & (func.count(Line.id) > 0))
        | (owners > 0)
    )
    found = (
        select(
            jobs.c.id, jobs.c.guild_id, jobs.c.state, jobs.c.reserved, jobs.c.settled, resolved.label("over")
        )
        .add_columns(put_aside.label("put_aside"), paid.label("paid"), released.label("released"))
        .add_columns(owners.label("of_others"))
        .outerjoin(Line, Line.job_id == jobs.c.id)
        .group_by(jobs.c.number)
        .having(wrong)
        .order_by(jobs.c.number)
    )
    # Untranslated: the operator reads it.
    return [
        f"Job {one.id} of server {one.guild_id} ({one.state}, {'resolved' if one.over else 'open'}) has "
        f"{one.reserved} reserved and {one.settled} settled, but its ledger lines add up to {one.put_aside} "
        f"reserved, {one.paid} settled and {one.released} released; lines of others: {one.of_others}."
        for one in session.execute(found)
    ]


def unname(session: Session, guild_id: int, before: datetime, period: str) -> None:
    """Remove forgotten members' ids from scrubbed jobs of before `before`, when `period` began.

    Their grants for other periods lose them as well.
    """
    mine = (jobs.c.guild_id == guild_id) & jobs.c.forgotten_at.is_not(None) & jobs.c.scrubbed_at.is_not(None)
    mine &= (jobs.c.user_id != FORGOTTEN_MEMBER) & (jobs.c.created_at < before)
    who = select(jobs.c.user_id).where(mine)
    forgotten = session.execute(
        select(jobs.c.user_id, func.max(jobs.c.forgotten_at)).where(mine).group_by(jobs.c.user_id)
    ).all()
    grants_ = (Line.guild_id == guild_id) & Line.job_id.is_(None) & (Line.period != period)
    lines = Line.job_id.in_(select(jobs.c.id).where(mine)) | (grants_ & Line.user_id.in_(who))
    session.execute(update(Line).where(lines).values(user_id=FORGOTTEN_MEMBER))
    session.execute(update(jobs).where(mine).values(user_id=FORGOTTEN_MEMBER))
    for user_id, at in forgotten:
        unname_grants(session, user_id, at)


def unname_grants(session: Session, user_id: int, before: datetime, guild_id: int | None = None) -> None:
    """Remove the member's id from grants until `before`, in servers where no job has that id.

    `guild_id`: in that server alone.
    """
    named = exists().where(jobs.c.guild_id == Line.guild_id, jobs.c.user_id == user_id)
    theirs = (Line.user_id == user_id) & Line.job_id.is_(None) & (Line.at <= before) & ~named
    if guild_id is not None:
        theirs &= Line.guild_id == guild_id
    session.execute(update(Line).where(theirs).values(user_id=FORGOTTEN_MEMBER))


def _add(session: Session, lines: list[dict[str, Any]]) -> None:
    if lines:
        session.execute(insert(Line), lines)


def _line(job: Job, kind: EntryKind, amount: int, at: datetime) -> dict[str, Any]:
    if job.resolved_at is not None:
        raise ValueError(f"job {job.id} has no open reservation")
    return {
        "guild_id": job.guild_id,
        "user_id": job.user_id,
        "job_id": job.id,
        "kind": kind,
        "amount": amount,
        "at": at,
        "period": None,
    }
