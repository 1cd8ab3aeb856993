"""Servers' rules for what results look like in their channels."""

from dataclasses import asdict, fields

from sqlalchemy import select

from bot.domain.posting import PostingRules
from bot.storage.database.session import Session
from bot.storage.schema import posting_rules


class PostingRulings:
    """Posting rules within one transaction. A server without a row has the defaults."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, guild_id: int) -> PostingRules:
        query = select(posting_rules).where(posting_rules.c.guild_id == guild_id)
        row = (await self._session.execute(query)).mappings().one_or_none()
        if row is None:
            return PostingRules()
        set_ = {one.name: row[one.name] for one in fields(PostingRules) if row[one.name] is not None}
        return PostingRules(**set_)

    async def set(self, guild_id: int, rules: PostingRules) -> None:
        await self._session.put(posting_rules, {"guild_id": guild_id}, asdict(rules))
