"""How a server's results are shown, kept in memory for a while, so that posting them costs no query."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.aio.batching import Batcher
from bot.aio.bounded import BoundedDict
from bot.aio.in_order import InOrder
from bot.clock import Clock
from bot.domain import NoticeKind
from bot.domain.posting import PostingRules
from bot.services.service import Service
from bot.storage import Storage

MAX_REMEMBERED_RULES = 5000
REMEMBERED_FOR = 30.0  # seconds: where there are several processes, another one may change them
MAX_RULES_READ_TOGETHER = 500  # of those who ask at the same moment


class PostingService(Service):
    """Posting rules of all servers. Each change is made here, so that memory and database agree."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._known = BoundedDict[int, tuple[float, PostingRules]](MAX_REMEMBERED_RULES)
        self._with_best: dict[int, PostingRules] = {}
        self._changes = 0
        # Of a crowd that comes at the same moment, one asks the database.
        self._reading = Batcher("reading posting rules", self._read, max_group=MAX_RULES_READ_TOGETHER)
        self._in_order = InOrder()

    async def load(self) -> None:
        """Read which servers show their best results in a channel."""
        async with self._storage.read() as transaction:
            self._with_best = await transaction.posting_rules.with_best()

    def with_best(self, guild_id: int) -> PostingRules | None:
        """Return the server's rules without a query, or None if it shows no best results."""
        return self._with_best.get(guild_id)

    async def rules(self, guild_id: int) -> PostingRules:
        """Return the server's rules, with a query now and then. Who asks first goes on first."""
        return await self._in_order.keep(guild_id, self._rules(guild_id))

    async def set(self, guild_id: int, **changes: Any) -> PostingRules:
        """Change some of the server's rules, and return them all."""
        async with self._changing() as transaction:
            rules = replace(await transaction.posting_rules.get(guild_id), **changes)
            await transaction.posting_rules.set(guild_id, rules)
            if "best_channel_id" in changes:
                # Admins are told again if that one is lost too.
                await transaction.notices.forget(guild_id, NoticeKind.BEST_LOST)
        self._changes += 1
        return self._remember(guild_id, rules)

    async def _rules(self, guild_id: int) -> PostingRules:
        known = self._known.get(guild_id)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        return await self._reading.ask(guild_id)

    async def _read(self, take: Callable[[], Sequence[int]]) -> list[PostingRules]:
        changes = self._changes
        async with self._storage.read() as transaction:
            guild_ids = take()
            found = {one: await transaction.posting_rules.get(one) for one in set(guild_ids)}
        # What was changed meanwhile may have been read as it was before.
        if changes == self._changes:
            for guild_id, rules in found.items():
                self._remember(guild_id, rules)
        return [found[one] for one in guild_ids]

    def _remember(self, guild_id: int, rules: PostingRules) -> PostingRules:
        self._known[guild_id] = (self._clock.monotonic() + REMEMBERED_FOR, rules)
        self._with_best.pop(guild_id, None)
        if rules.best_channel_id is not None:
            self._with_best[guild_id] = rules
        return rules
