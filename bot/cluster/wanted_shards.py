"""How many shards there are to be, and how many of them a process takes."""

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
    """Which shards a process would serve. `recommended` asks Discord how many shards it recommends.

    `shard_count` and `per_process` are the settings; None stands for what is recommended, and for all.
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
        if not needs_recommendation(counts, self.shard_count, takes_all=self.per_process is None):
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
        """Return how many shards there are to be, when no process holds one."""
        return number_of_shards(counts, self.shard_count, recommended, takes_all=self.per_process is None)


def number_of_shards(
    counts: ShardCounts, setting: int | None, recommended: int | None, *, takes_all: bool
) -> int:
    """Return how many shards there are to be, when no process holds one.

    `recommended` is Discord's recommendation, if it was asked. A process that serves all shards follows it as
    it grows; where each serves some, the stored number stays until the setting says otherwise.
    """
    if setting is not None:
        return setting
    if takes_all:
        return max(1, counts.shards, recommended or 1)
    return counts.shards or recommended or 1


def needs_recommendation(counts: ShardCounts, setting: int | None, *, takes_all: bool) -> bool:
    """Return whether Discord has to be asked before shards are taken."""
    return setting is None and not counts.held and (takes_all or not counts.shards)
