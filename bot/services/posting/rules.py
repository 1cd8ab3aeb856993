"""Keep in memory how a server's results are shown, so that posting them costs no query."""

from dataclasses import replace
from typing import Any

from bot.clock import Clock
from bot.domain.posting import PostingRules
from bot.servers import notices
from bot.servers.notices import NoticeKind
from bot.services.remembered import RememberedByServer
from bot.services.service import Service
from bot.storage import Storage, Transaction


class PostingService(Service):
    """Posting rules of all servers. Each change is made here, so that memory and database agree."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._with_best: dict[int, PostingRules] = {}
        self._known = RememberedByServer("reading posting rules", storage, clock, _read, self._note_best)

    async def load(self) -> None:
        """Read which servers show their best results in a channel."""
        async with self._storage.read() as transaction:
            self._with_best = await transaction.posting_rules.with_best()

    def with_best(self, guild_id: int) -> PostingRules | None:
        """Return the server's rules without a query, or None if it shows no best results."""
        return self._with_best.get(guild_id)

    async def rules(self, guild_id: int) -> PostingRules:
        """Return the server's rules, with a query now and then."""
        return await self._known.of(guild_id)

    async def set(self, guild_id: int, **changes: Any) -> PostingRules:
        """Change some of the server's rules, or none, and return them all."""
        if not changes:
            return await self.rules(guild_id)
        async with self._changing() as transaction:
            rules = replace(await transaction.posting_rules.get(guild_id), **changes)
            await transaction.posting_rules.set(guild_id, rules)
            if "best_channel_id" in changes:
                # Admins are told again if that one is lost too.
                await transaction.run(notices.forget, guild_id, NoticeKind.BEST_LOST)
        self._known.set(guild_id, rules)
        return rules

    def _note_best(self, guild_id: int, rules: PostingRules) -> None:
        self._with_best.pop(guild_id, None)
        if rules.best_channel_id is not None:
            self._with_best[guild_id] = rules


async def _read(transaction: Transaction, guild_id: int) -> PostingRules:
    return await transaction.posting_rules.get(guild_id)
