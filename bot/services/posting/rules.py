"""How a server's results are shown, kept in memory for a while, so that posting them costs no query."""

from dataclasses import replace
from typing import Any

from bot.aio.bounded import BoundedDict
from bot.clock import Clock
from bot.domain.posting import PostingRules
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage

MAX_REMEMBERED_RULES = 5000
REMEMBERED_FOR = 30.0  # seconds: where there are several processes, another one may change them


class PostingService:
    """Posting rules of all servers. Each change is made here, so that memory and database agree."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._known = BoundedDict[int, tuple[float, PostingRules]](MAX_REMEMBERED_RULES)

    async def rules(self, guild_id: int) -> PostingRules:
        """Return the server's rules, with a query now and then."""
        known = self._known.get(guild_id)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        async with self._storage.read() as transaction:
            rules = await transaction.posting_rules.get(guild_id)
        return self._remember(guild_id, rules)

    async def set(self, guild_id: int, **changes: Any) -> PostingRules:
        """Change some of the server's rules, and return them all."""
        async with self._storage.write(patience=COMMAND_WRITE_TIMEOUT) as transaction:
            rules = replace(await transaction.posting_rules.get(guild_id), **changes)
            await transaction.posting_rules.set(guild_id, rules)
        return self._remember(guild_id, rules)

    def _remember(self, guild_id: int, rules: PostingRules) -> PostingRules:
        self._known[guild_id] = (self._clock.monotonic() + REMEMBERED_FOR, rules)
        return rules
