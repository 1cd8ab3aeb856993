"""Each lane's recent requests and the limits that Studii has shown, so that a restart forgets neither."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import delete, insert, select

from bot.storage.database.session import Session
from bot.storage.schema import lane_limits, lane_requests

# The window that Studii counts in (Studii API docs, "Rate limits"), the longest wait for an answer, and more.
REQUESTS_KEPT = timedelta(minutes=3)
# A doubted plan is tried again within a day. Limits that did not change for this long are over.
LIMITS_KEPT = timedelta(days=7)


class Sent(NamedTuple):
    """A request, as it was noted before it was sent; by then, all from before `settled` had been answered
    (None: not known)."""

    at: datetime
    settled: datetime | None


class Lanes:
    """Lanes' requests within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def record(self, lane: str, at: datetime, settled: datetime | None = None) -> None:
        """A request is about to be sent. Forgets what no window can still hold."""
        await self.record_all([lane], at, {} if settled is None else {lane: settled})

    async def record_all(
        self, lanes: Sequence[str], at: datetime, settled: Mapping[str, datetime] | None = None
    ) -> None:
        """For each lane that is named a request is about to be sent; a lane may be named several times."""
        moment = lane_requests.c.at
        # Later than now: the wall clock was set back, and these would block the lane until it is there again.
        outside = (moment < at - REQUESTS_KEPT) | (moment > at + REQUESTS_KEPT)
        await self._session.execute(delete(lane_requests).where(outside))
        if lanes:
            known = settled or {}
            rows = [{"lane": lane, "at": at, "settled": known.get(lane)} for lane in lanes]
            await self._session.execute(insert(lane_requests).values(rows))

    async def of(self, lanes: Collection[str], at: datetime) -> dict[str, list[Sent]]:
        """For each of the lanes, its requests that were sent at or after `at`, oldest first."""
        query = (
            select(lane_requests.c.lane, lane_requests.c.at, lane_requests.c.settled)
            .where(lane_requests.c.lane.in_(list(lanes)), lane_requests.c.at >= at)
            .order_by(lane_requests.c.at)
        )
        sent: dict[str, list[Sent]] = {lane: [] for lane in lanes}
        for row in (await self._session.execute(query)).mappings():
            sent[row["lane"]].append(Sent(row["at"], row["settled"]))
        return sent

    async def since(self, lane: str, at: datetime) -> list[datetime]:
        """When the lane's requests at or after `at` were sent, oldest first."""
        return [one.at for one in (await self.of([lane], at))[lane]]


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Nothing is sent before `blocked_until`, and slowly before `paced_until`, after `blocks` 429s in a row.

    What is known of the plan is of the one with `plan` requests a minute that was chosen at `plan_at`:
    the last 429 well under it (`odd_at`), and if that was not the first (`doubted`), that no more than
    `lowered_to` are sent until `lowered_until`, and for `next_lowered` seconds the next time.
    """

    at: datetime
    blocked_until: datetime | None
    paced_until: datetime | None
    blocks: int
    plan: int
    plan_at: datetime
    odd_at: datetime | None
    doubted: bool
    lowered_to: int | None
    lowered_until: datetime | None
    next_lowered: float


class LaneLimitRows:
    """Lanes' limits within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def keep(self, lane: str, limits: LaneLimits) -> None:
        """In the place of what was kept of that lane. Forgets lanes of which nothing was heard for long."""
        await self._session.execute(delete(lane_limits).where(lane_limits.c.at < limits.at - LIMITS_KEPT))
        await self._session.put(lane_limits, {"lane": lane}, asdict(limits))

    async def forget(self, lane: str) -> None:
        """Nothing slows it down any more."""
        await self._session.execute(delete(lane_limits).where(lane_limits.c.lane == lane))

    async def of(self, lanes: Collection[str]) -> dict[str, LaneLimits]:
        """What is kept of those of the lanes of which something is, by lane."""
        query = select(lane_limits).where(lane_limits.c.lane.in_(list(lanes)))
        found: dict[str, LaneLimits] = {}
        for row in (await self._session.execute(query)).mappings():
            values: dict[str, Any] = dict(row)
            lane: str = values.pop("lane")
            found[lane] = LaneLimits(**values)
        return found
