"""Tell a process of the others on its database: here, that there are none."""

import asyncio
from collections.abc import Callable

from bot.db import Fence
from bot.domain.shards import Shards


class Membership(Fence):
    """A process that works alone, as on SQLite: it serves all servers, always."""

    free_shards: int = 0  # which no process holds
    stood_by: bool = False  # it has waited for another one's shards

    @property
    def sharded(self) -> Shards | None:
        """Return the shards to connect, or None if Discord's recommendation is to be followed."""
        return None

    def may_act(self) -> bool:
        """Return whether no other process can have taken over by now."""
        return True

    def may_tell(self) -> bool:
        """Return whether people may still be told that the database can't be reached."""
        return False

    def may_finish(self) -> bool:
        """Return whether people may still be given the answers that this process has announced, although
        another one has taken over."""
        return False

    def held_for(self, guild_id: int) -> float:
        """Return for how many seconds the server's shard has been held."""
        return float("inf")

    async def others(self) -> int:
        """Return how many other processes there are."""
        return 0

    async def stand_by(self) -> None:
        """Return when there is something to serve."""

    async def lost(self) -> None:
        """Return when another process has taken over: this one must drop everything."""
        await asyncio.Event().wait()

    async def leave(self) -> None:
        """Let the others have the shards at once. Raises one of `UNUSABLE`."""

    def when_gained(self, listener: Callable[[frozenset[int]], None]) -> None:
        """Call `listener` with shards that are taken from now on. It must not raise."""

    async def identify_turn(self, shard: int, buckets: int) -> None:
        """Return when this process may identify the shard at the gateway; `buckets` may do so at once."""
