"""The requests that each lane has sent lately, so that a restart does not forget its allowance."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select

from bot.storage.schema import lane_requests
from bot.storage.session import Session

KEPT = timedelta(minutes=2)  # twice the window that Studii counts in (Studii API docs, "Rate limits")


class Lanes:
    """Lanes' requests within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def record(self, lane: str, at: datetime) -> None:
        """A request is about to be sent. Forgets what no window can still hold."""
        await self.record_all([lane], at)

    async def record_all(self, lanes: Sequence[str], at: datetime) -> None:
        """For each lane that is named a request is about to be sent; a lane may be named several times."""
        moment = lane_requests.c.at
        # Later than now: the wall clock was set back, and these would block the lane until it is there again.
        outside = (moment < at - KEPT) | (moment > at + KEPT)
        await self._session.execute(delete(lane_requests).where(outside))
        if lanes:
            await self._session.execute(
                insert(lane_requests).values([{"lane": lane, "at": at} for lane in lanes])
            )

    async def since(self, lane: str, at: datetime) -> list[datetime]:
        """When the lane's requests at or after `at` were sent, oldest first."""
        return (await self.of([lane], at))[lane]

    async def of(self, lanes: Collection[str], at: datetime) -> dict[str, list[datetime]]:
        """For each of the lanes, when its requests at or after `at` were sent, oldest first."""
        query = (
            select(lane_requests.c.lane, lane_requests.c.at)
            .where(lane_requests.c.lane.in_(list(lanes)), lane_requests.c.at >= at)
            .order_by(lane_requests.c.at)
        )
        times: dict[str, list[datetime]] = {lane: [] for lane in lanes}
        for row in (await self._session.execute(query)).mappings():
            times[row["lane"]].append(row["at"])
        return times
