"""Servers' rules for what results look like in their channels."""

from dataclasses import asdict, fields

from sqlalchemy import bindparam, select
from sqlalchemy.engine import RowMapping

from bot.domain.posting import PostingRules
from bot.storage.database.repository import Repository
from bot.storage.schema import posting_rules


class PostingRulesByServer(Repository):
    """Posting rules within one transaction. A server without a row has the defaults."""

    async def get(self, guild_id: int) -> PostingRules:
        row = await self._one_row(_GET, {"guild": guild_id})
        return PostingRules() if row is None else _rules_of(row)

    async def with_best(self) -> dict[int, PostingRules]:
        """Return the rules of the servers that show their best results in a channel."""
        ours = self._session.ours(_WITH_BEST, posting_rules.c.guild_id)
        return {row["guild_id"]: _rules_of(row) for row in (await self._session.execute(ours)).mappings()}

    async def set(self, guild_id: int, rules: PostingRules) -> None:
        await self._session.put(posting_rules, {"guild_id": guild_id}, asdict(rules))


def _rules_of(row: RowMapping) -> PostingRules:
    set_ = {one.name: row[one.name] for one in fields(PostingRules) if row[one.name] is not None}
    return PostingRules(**set_)


# Statements, made once (see `Session.execute`).
_GET = select(posting_rules).where(posting_rules.c.guild_id == bindparam("guild"))
_WITH_BEST = select(posting_rules).where(posting_rules.c.best_channel_id.is_not(None))
