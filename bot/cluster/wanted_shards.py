"""Decide how many shards there are to be, and how many of them a process takes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bot.domain.shards import Shards
from bot.errors import StudiiBotError
from bot.storage import ShardCounts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class WantedShards:
    """The shards that a process would serve. `recommended` asks Discord how many shards it recommends.

    `shard_count` and `per_process` are the settings: None means the recommended number, and all shards.
    """

    recommended: Callable[[], Awaitable[int]]
    shard_count: int | None = None
    per_process: int | None = None

    def most(self, held: Shards) -> int | None:
        """Return how many more shards are taken beside those held, or None for all."""
        if self.per_process is None:
            return 0 if held.held and held.all else None
        return max(0, self.per_process - len(held.held))

    async def recommendation(self, counts: ShardCounts, within: float) -> int | None:
        """Return Discord's recommendation, or None if it is not needed.

        Where there are shards already, Discord has `within` seconds to answer.
        """
        if self.shard_count is not None or counts.held or (self.per_process is not None and counts.shards):
            return None
        if not counts.shards:
            return await self.recommended()
        # Rather the stored number than nobody who serves; and the lease has to be renewed before long.
        try:
            async with asyncio.timeout(within):
                return await self.recommended()
        except (StudiiBotError, TimeoutError) as error:
            said = "Discord couldn't be asked how many shards it recommends, so there are %d as before. %s"
            _log.warning(said, counts.shards, error)
            return None

    def number(self, counts: ShardCounts, recommended: int | None) -> int:
        """Return how many shards there are to be, when no process holds one.

        `recommended` is Discord's recommendation, if it was asked. A process that serves all shards follows
        it as it grows; where each serves some, the stored number stays until the setting says otherwise.
        """
        if self.shard_count is not None:
            return self.shard_count
        if self.per_process is None:
            return max(1, counts.shards, recommended or 1)
        return counts.shards or recommended or 1
