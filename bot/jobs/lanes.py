"""Requests of lanes, the limits that Studii has shown, and the durations of jobs, kept over restarts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Float, Index, Integer, delete, func, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import NUMBER, Base
from bot.db import put

# Longer than Studii's window of a minute (Studii API docs, "Rate limits") and the longest wait for an answer.
REQUESTS_KEPT = timedelta(minutes=3)
# A doubted plan is tried again within a day. Limits that did not change for this long are over.
LIMITS_KEPT = timedelta(days=7)
MAX_KEPT_SAMPLES = 100  # newest samples of each tool and kind of output
_LOCKS = 21332  # tells a lane's lock from others on PostgreSQL


class LaneRequest(Base):
    """A request with a key, recorded before it was sent.

    All requests of its process from before `settled` had been answered by then. `epoch` is the process, where
    there are several.
    """

    __tablename__ = "lane_requests"
    __table_args__ = (Index(None, "lane", "at"),)

    lane: Mapped[str] = mapped_column(repr=False)
    at: Mapped[datetime]
    epoch: Mapped[int | None]
    settled: Mapped[datetime | None]
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False)


class LaneLimits(Base):
    """The limits of a lane that Studii's 429s have shown.

    Nothing is sent before `blocked_until`, and requests are paced until `paced_until`. `blocks` is the number
    of 429s in a row. The other fields are about the plan of `plan` requests a minute, chosen at `plan_at`:
    `odd_at` is the last 429 well below that limit. After a second one the plan is `doubted`, and at most
    `lowered_to` requests a minute are sent until `lowered_until`; the next time for `next_lowered` seconds.
    """

    __tablename__ = "lane_limits"

    lane: Mapped[str] = mapped_column(primary_key=True, repr=False)
    at: Mapped[datetime]
    blocked_until: Mapped[datetime | None]
    paced_until: Mapped[datetime | None]
    blocks: Mapped[int] = mapped_column(Integer)
    plan: Mapped[int] = mapped_column(Integer)
    plan_at: Mapped[datetime]
    odd_at: Mapped[datetime | None]
    doubted: Mapped[bool]
    lowered_to: Mapped[int | None] = mapped_column(Integer)
    lowered_until: Mapped[datetime | None]
    next_lowered: Mapped[float] = mapped_column(Float(53))


class Duration(Base):
    """A job of the tool still ran `low` seconds after its submission, and had ended after `high`."""

    __tablename__ = "durations"
    __table_args__ = (Index(None, "tool", "output_kind", "id"),)

    tool: Mapped[str]
    output_kind: Mapped[str]
    low: Mapped[float] = mapped_column(Float(53))
    high: Mapped[float] = mapped_column(Float(53))
    at: Mapped[datetime]
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False)


class Sent(NamedTuple):
    """A request, as `LaneRequest` has it."""

    at: datetime
    settled: datetime | None
    epoch: int | None = None


class Sample(NamedTuple):
    """The duration of a job, as `Duration` has it."""

    tool: str
    output_kind: str
    low: float
    high: float
    at: datetime


def tidy(session: Session, at: datetime) -> None:
    """Delete requests that are outside of every window."""
    # Times in the future mean that the clock was set back; they would block the lane until then.
    outside = (LaneRequest.at < at - REQUESTS_KEPT) | (LaneRequest.at > at + REQUESTS_KEPT)
    # What another process is deleting is left to it.
    these = select(LaneRequest.id).where(outside).with_for_update(skip_locked=True)
    _delete(session, LaneRequest, LaneRequest.id.in_(these))


def add(session: Session, requests: Sequence[tuple[str, Sent]]) -> None:
    """Record requests of lanes."""
    if rows := [{"lane": lane, **one._asdict()} for lane, one in requests]:
        session.execute(insert(LaneRequest), rows)


def record(session: Session, lane: str, at: datetime) -> None:
    """Record a request that is about to be sent. Deletes those outside of every window."""
    tidy(session, at)
    add(session, [(lane, Sent(at, settled=None))])


def lock(session: Session, *lanes: str) -> None:
    """Let no other process count requests of these lanes, or change their prices, until this ends.

    Nothing happens where this process serves all servers.
    """
    if not session.info["shards"].all:
        for lane in sorted(set(lanes)):
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lane, _LOCKS))))


def of(session: Session, lanes: Collection[str], at: datetime) -> dict[str, list[Sent]]:
    """Return each lane's requests sent at or after `at`, oldest first."""
    sent: dict[str, list[Sent]] = {lane: [] for lane in lanes}
    found = select(LaneRequest.lane, LaneRequest.at, LaneRequest.settled, LaneRequest.epoch)
    found = found.where(LaneRequest.lane.in_(lanes), LaneRequest.at >= at).order_by(LaneRequest.at)
    for lane, *one in session.execute(found):
        sent[lane].append(Sent._make(one))
    return sent


def beside_others(session: Session, lanes: Collection[str], at: datetime) -> dict[str, list[Sent]]:
    """Return each lane's requests as `of` does, or none where this process serves all servers.

    Until the transaction ends, no other process counts requests of these lanes: what is allowed because of
    these is recorded in the same transaction. Whether others use a key may change at any moment, so it is
    not kept in memory.
    """
    if session.info["shards"].all:
        return {lane: [] for lane in lanes}
    lock(session, *lanes)
    return of(session, lanes, at)


def keep_limits(session: Session, lane: str, at: datetime, **limits: Any) -> None:
    """Insert or replace the lane's limits. Deletes those that are older than `LIMITS_KEPT`."""
    _delete(session, LaneLimits, LaneLimits.at < at - LIMITS_KEPT)
    put(session, LaneLimits, {"lane": lane}, at=at, **limits)


def forget_limits(session: Session, lane: str) -> None:
    """Delete the lane's limits."""
    _delete(session, LaneLimits, LaneLimits.lane == lane)


def limits_of(session: Session, lanes: Collection[str]) -> dict[str, LaneLimits]:
    """Return the limits of those lanes that have any, by lane."""
    found = session.scalars(select(LaneLimits).where(LaneLimits.lane.in_(lanes)))
    return {limits.lane: limits for limits in found}


def lowered(session: Session, lane: str, chosen_at: datetime, at: datetime) -> tuple[int, datetime] | None:
    """Return how many requests a minute are sent at most, and until when, or None if the plan is believed.

    It is doubted if Studii has refused requests well under its limit since it was chosen.
    """
    limits = session.get(LaneLimits, lane)
    if limits is None or limits.lowered_to is None or limits.lowered_until is None:
        return None
    doubted = limits.plan_at >= chosen_at and limits.lowered_until > at
    return (limits.lowered_to, limits.lowered_until) if doubted else None


def learn_durations(session: Session, samples: Iterable[Sample]) -> None:
    """Add samples. Deletes all but the newest `MAX_KEPT_SAMPLES` ones of each tool and kind of output."""
    session.execute(insert(Duration), [sample._asdict() for sample in samples])
    for tool, output_kind in sorted({(sample.tool, sample.output_kind) for sample in samples}):
        these = (Duration.tool == tool) & (Duration.output_kind == output_kind)
        newest = select(Duration.id).where(these).order_by(Duration.id.desc())
        first = newest.offset(MAX_KEPT_SAMPLES - 1).limit(1).scalar_subquery()
        _delete(session, Duration, these & (Duration.id < first))


def durations(session: Session) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Return the samples by tool and kind of output, oldest first."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for one in session.scalars(select(Duration).order_by(Duration.id)):
        found.setdefault((one.tool, one.output_kind), []).append((one.low, one.high))
    return found


def _delete(session: Session, row: type[Base], which: object) -> None:
    rows = delete(row).where(which)  # pyright: ignore[reportArgumentType]
    session.execute(rows, execution_options={"synchronize_session": False})
