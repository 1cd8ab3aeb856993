"""How a server's results are shown, kept in memory for a while, so that posting them costs no query."""

from dataclasses import replace
from typing import Any

from bot.aio.bounded import BoundedDict
from bot.clock import Clock
from bot.domain import NoticeKind
from bot.domain.posting import PostingRules
from bot.services.service import Service
from bot.storage import Storage

MAX_REMEMBERED_RULES = 5000
REMEMBERED_FOR = 30.0  # seconds: where there are several processes, another one may change them


class PostingService(Service):
    """Posting rules of all servers. Each change is made here, so that memory and database agree."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._known = BoundedDict[int, tuple[float, PostingRules]](MAX_REMEMBERED_RULES)
        self._with_best: dict[int, PostingRules] = {}

    async def load(self) -> None:
        """Read which servers show their best results in a channel."""
        async with self._storage.read() as transaction:
            self._with_best = await transaction.posting_rules.with_best()

    def with_best(self, guild_id: int) -> PostingRules | None:
        """Return the server's rules without a query, or None if it shows no best results."""
        return self._with_best.get(guild_id)

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
        async with self._changing() as transaction:
            rules = replace(await transaction.posting_rules.get(guild_id), **changes)
            await transaction.posting_rules.set(guild_id, rules)
            if "best_channel_id" in changes:
                # Admins are told again if that one is lost too.
                await transaction.notices.forget(guild_id, NoticeKind.BEST_LOST)
        return self._remember(guild_id, rules)

    def _remember(self, guild_id: int, rules: PostingRules) -> PostingRules:
        self._known[guild_id] = (self._clock.monotonic() + REMEMBERED_FOR, rules)
        self._with_best.pop(guild_id, None)
        if rules.best_channel_id is not None:
            self._with_best[guild_id] = rules
        return rules
