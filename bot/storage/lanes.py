"""Each lane's recent requests and the limits that Studii has shown, so that a restart forgets neither."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, text

from bot.storage.database.repository import Repository
from bot.storage.schema import lane_limits, lane_requests

# Longer than Studii's window of a minute (Studii API docs, "Rate limits") and the longest wait for an answer.
REQUESTS_KEPT = timedelta(minutes=3)
# A doubted plan is tried again within a day. Limits that did not change for this long are over.
LIMITS_KEPT = timedelta(days=7)

# Statements, made once (see `Session.execute`).
_ADD_REQUESTS = insert(lane_requests).inline()
# Times in the future mean that the clock was set back; they would block the lane until then.
_OUTSIDE = (lane_requests.c.at < bindparam("after")) | (lane_requests.c.at > bindparam("before"))
_TIDY = delete(lane_requests).where(
    # What another process is deleting is left to it.
    lane_requests.c.id.in_(select(lane_requests.c.id).where(_OUTSIDE).with_for_update(skip_locked=True))
)
_OF = (
    select(lane_requests.c.lane, lane_requests.c.at, lane_requests.c.settled, lane_requests.c.epoch)
    .where(
        lane_requests.c.lane.in_(bindparam("lanes", expanding=True)), lane_requests.c.at >= bindparam("at")
    )
    .order_by(lane_requests.c.at)
)
_LIMITS_OF = select(lane_limits).where(lane_limits.c.lane.in_(bindparam("lanes", expanding=True)))
_FORGET_OLD_LIMITS = delete(lane_limits).where(lane_limits.c.at < bindparam("before"))
_FORGET_LIMITS = delete(lane_limits).where(lane_limits.c.lane == bindparam("lane"))
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:lane, 21332))")


class Sent(NamedTuple):
    """A request, recorded before it was sent.

    All requests of its process from before `settled` had been answered by then. It is None if that is
    unknown. `epoch` is the process, where there are several.
    """

    at: datetime
    settled: datetime | None
    epoch: int | None = None


class Lanes(Repository):
    """Lanes' requests within one transaction."""

    async def tidy(self, at: datetime) -> None:
        """Delete requests that are outside of every window."""
        window = {"after": at - REQUESTS_KEPT, "before": at + REQUESTS_KEPT}
        await self._session.execute(_TIDY, window)

    async def add(self, requests: Sequence[tuple[str, Sent]]) -> None:
        """Record requests of lanes."""
        rows = [
            {"lane": lane, "at": one.at, "settled": one.settled, "epoch": one.epoch} for lane, one in requests
        ]
        if rows:
            await self._session.execute(_ADD_REQUESTS, rows)

    async def record(self, lane: str, at: datetime) -> None:
        """Record a request that is about to be sent. Deletes those outside of every window."""
        await self.tidy(at)
        await self.add([(lane, Sent(at, settled=None))])

    async def lock(self, *lanes: str) -> None:
        """Let no other process count requests of these lanes, or change their prices, until this ends.

        Nothing happens where this process serves all servers. `bot.credits.ledger.lock` has the order of all
        locks.
        """
        if self._session.beside_others:
            for lane in sorted(set(lanes)):
                await self._session.execute(_LOCK, {"lane": lane})

    async def of(self, lanes: Collection[str], at: datetime) -> dict[str, list[Sent]]:
        """Return each lane's requests sent at or after `at`, oldest first."""
        sent: dict[str, list[Sent]] = {lane: [] for lane in lanes}
        for row in (await self._session.execute(_OF, {"lanes": list(lanes), "at": at})).mappings():
            sent[row["lane"]].append(Sent(row["at"], row["settled"], row["epoch"]))
        return sent

    async def beside_others(self, lanes: Collection[str], at: datetime) -> dict[str, list[Sent]]:
        """Return each lane's requests as `of` does, or none where this process serves all servers.

        Until the transaction ends, no other process counts requests of these lanes: what is allowed because
        of these is recorded in the same transaction. Whether others use a key may change at any moment, so
        it is not kept in memory.
        """
        if not self._session.beside_others:
            return {lane: [] for lane in lanes}
        await self.lock(*lanes)
        return await self.of(lanes, at)


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """The limits of a lane that Studii's 429s have shown.

    Nothing is sent before `blocked_until`, and requests are paced until `paced_until`. `blocks` is the number
    of 429s in a row. The other fields are about the plan of `plan` requests a minute, chosen at `plan_at`:
    `odd_at` is the last 429 well below that limit. After a second one the plan is `doubted`, and at most
    `lowered_to` requests a minute are sent until `lowered_until`; the next time for `next_lowered` seconds.
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


class LaneLimitRows(Repository):
    """Lanes' limits within one transaction."""

    async def keep(self, lane: str, limits: LaneLimits) -> None:
        """Insert or replace the lane's limits. Deletes those that are older than `LIMITS_KEPT`."""
        await self._session.execute(_FORGET_OLD_LIMITS, {"before": limits.at - LIMITS_KEPT})
        await self._session.put(lane_limits, {"lane": lane}, asdict(limits))

    async def forget(self, lane: str) -> None:
        """Delete the lane's limits."""
        await self._session.execute(_FORGET_LIMITS, {"lane": lane})

    async def of(self, lanes: Collection[str]) -> dict[str, LaneLimits]:
        """Return the limits of those lanes that have any, by lane."""
        found: dict[str, LaneLimits] = {}
        for row in (await self._session.execute(_LIMITS_OF, {"lanes": list(lanes)})).mappings():
            values: dict[str, Any] = dict(row)
            lane: str = values.pop("lane")
            found[lane] = LaneLimits(**values)
        return found
