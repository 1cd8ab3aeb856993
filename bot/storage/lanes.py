"""The requests that each lane has sent lately, so that a restart does not forget its allowance."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from bot.storage.database.session import Session
from bot.storage.schema import lane_requests

# The window that Studii counts in (Studii API docs, "Rate limits"), the longest wait for an answer, and more.
KEPT = timedelta(minutes=3)


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
        outside = (moment < at - KEPT) | (moment > at + KEPT)
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
