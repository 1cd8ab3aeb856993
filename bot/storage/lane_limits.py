"""What Studii's 429s have told of each lane, so that neither a restart nor a rest forgets it."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from bot.storage.database.session import Session
from bot.storage.schema import lane_limits

# A plan that is doubted is tried again within a day; what has been quiet for so long since is over.
KEPT = timedelta(days=7)


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
        await self._session.execute(delete(lane_limits).where(lane_limits.c.at < limits.at - KEPT))
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
