"""Requests of lanes, the limits that Studii has shown, and the durations of jobs, kept over restarts."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import JSON, Float, Index, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base import NUMBER, Base, put

# Seconds: Studii's window of a minute (Studii API docs, "Rate limits"), and the longest wait for an answer.
COUNTED = 131.0
ALONE, OF_NO_LANE = 0, -1  # in place of a process's number
MAX_KEPT_SAMPLES = 100  # newest samples of each tool and kind of output
_LOCKS = 21332  # tells a lane's lock from others on PostgreSQL


class LaneWindow(Base):
    """The requests with a key that a process has sent, or may send without noting more.

    `counts` has pairs of a moment (seconds since 1970) and how many of them count until then; the last one is
    `until`. `epoch` is the process where there are several.
    """

    __tablename__ = "lane_windows"

    lane: Mapped[str] = mapped_column(primary_key=True, repr=False)
    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime]
    counts: Mapped[list[tuple[int, int]]] = mapped_column(JSON)


class LaneLimits(Base):
    """What Studii's 429s have shown of a lane, as `RateWindow` has it; a time long ago means never."""

    __tablename__ = "lane_limits"

    lane: Mapped[str] = mapped_column(primary_key=True, repr=False)
    blocked_until: Mapped[datetime]
    odd_at: Mapped[datetime]
    lowered_until: Mapped[datetime]


class Duration(Base):
    """A job of the tool still ran `low` seconds after its submission, and had ended after `high`."""

    __tablename__ = "durations"
    __table_args__ = (Index(None, "tool", "output_kind", "id"),)

    tool: Mapped[str]
    output_kind: Mapped[str]
    low: Mapped[float] = mapped_column(Float(53))
    high: Mapped[float] = mapped_column(Float(53))
    id: Mapped[int] = mapped_column(NUMBER, primary_key=True, init=False)


def keep_window(session: Session, lane: str, epoch: int | None, until: Iterable[float]) -> None:
    """Store until when each of a process's requests with a key counts, in place of what was stored before."""
    counts = sorted(Counter(ceil(one) for one in until).items())
    if counts:
        last = datetime.fromtimestamp(counts[-1][0], UTC)
        put(session, LaneWindow, {"lane": lane, "epoch": epoch or ALONE}, until=last, counts=counts)


def record(session: Session, lane: str, at: datetime) -> None:
    """Count a request that no lane sends, and that is about to be sent."""
    moment = at.timestamp()
    window = session.get(LaneWindow, (lane, OF_NO_LANE))
    before = [] if window is None else [until for until, n in window.counts for _ in range(n)]
    counted = [until for until in before if moment < until <= moment + COUNTED]
    keep_window(session, lane, OF_NO_LANE, [*counted, moment + COUNTED])


def windows(session: Session, lanes: Collection[str], epoch: int | None = None) -> dict[str, list[float]]:
    """Return until when each request with these keys counts, or those of other processes than `epoch`."""
    found: dict[str, list[float]] = {lane: [] for lane in lanes}
    query = select(LaneWindow.lane, LaneWindow.counts).where(LaneWindow.lane.in_(lanes))
    if epoch is not None:
        query = query.where(LaneWindow.epoch != epoch)
    for lane, counts in session.execute(query):
        found[lane] += [float(until) for until, number in counts for _ in range(number)]
    return found


def tidy(session: Session, at: datetime) -> None:
    """Delete windows in which nothing counts any more, and limits that are over."""
    _delete(session, LaneWindow, LaneWindow.until < at)
    _delete(session, LaneLimits, LaneLimits.blocked_until < at - timedelta(days=1))


def lock(session: Session, *lanes: str) -> None:
    """Let no other process count requests of these lanes, or change their prices, until this ends.

    Nothing happens where this process serves all servers.
    """
    if not session.info["shards"].all:
        for lane in sorted(set(lanes)):
            session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lane, _LOCKS))))


def keep_limits(
    session: Session, lane: str, blocked_until: datetime, odd_at: datetime, lowered_until: datetime
) -> None:
    """Insert or replace the lane's limits."""
    put(
        session,
        LaneLimits,
        {"lane": lane},
        blocked_until=blocked_until,
        odd_at=odd_at,
        lowered_until=lowered_until,
    )


def limits_of(session: Session, lanes: Collection[str]) -> dict[str, LaneLimits]:
    """Return the limits of those lanes that have any, by lane."""
    return {
        limits.lane: limits
        for limits in session.scalars(select(LaneLimits).where(LaneLimits.lane.in_(lanes)))
    }


def lowered(session: Session, lane: str, chosen_at: datetime, at: datetime) -> datetime | None:
    """Return until when fewer requests are sent than the plan allows, or None if the plan is believed.

    It is doubted if Studii has refused requests well under its limit since it was chosen.
    """
    limits = session.get(LaneLimits, lane)
    doubted = limits is not None and limits.odd_at >= chosen_at and limits.lowered_until > at
    return limits.lowered_until if limits is not None and doubted else None


def learn_duration(session: Session, tool: str, output_kind: str, low: float, high: float) -> None:
    """Add a duration. Deletes all but the newest `MAX_KEPT_SAMPLES` ones of its tool and kind of output."""
    session.add(Duration(tool, output_kind, low, high))
    session.flush()
    these = (Duration.tool == tool) & (Duration.output_kind == output_kind)
    first = (
        select(Duration.id)
        .where(these)
        .order_by(Duration.id.desc())
        .offset(MAX_KEPT_SAMPLES - 1)
        .limit(1)
        .scalar_subquery()
    )
    _delete(session, Duration, these & (Duration.id < first))


def durations(session: Session) -> Sequence[Duration]:
    """Return the durations, oldest first."""
    return session.scalars(select(Duration).order_by(Duration.id)).all()


def _delete(session: Session, row: type[Base], which: object) -> None:
    rows = delete(row).where(which)  # pyright: ignore[reportArgumentType]
    session.execute(rows, execution_options={"synchronize_session": False})
