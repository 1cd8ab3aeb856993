"""Servers' rules about words."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.engine import RowMapping

from bot.domain.words import WordRule
from bot.storage.database.repository import Repository
from bot.storage.schema import jobs, word_rules


class WordRules(Repository):
    """Rules about words within one transaction."""

    async def get(self, guild_id: int) -> tuple[WordRule, ...]:
        """Return the server's rules, in alphabetical order."""
        return word_rules_of((await self._session.execute(_GET, {"guild": guild_id})).mappings().all())

    async def put(self, guild_id: int, rule: WordRule, at: datetime) -> None:
        """Add the rule, or replace the one that is compared alike."""
        values = {"words": rule.words, "effect": rule.effect, "at": at}
        await self._session.put(word_rules, {"guild_id": guild_id, "key": rule.key}, values)

    async def remove(self, guild_id: int, key: str) -> bool:
        """Remove a rule. Return False if there is none."""
        return await self._session.remove(word_rules, {"guild_id": guild_id, "key": key})

    async def recent_inputs(self, guild_id: int, limit: int) -> list[dict[str, str]]:
        """Return the inputs of the server's last jobs that still have them."""
        mine = (jobs.c.guild_id == guild_id) & jobs.c.scrubbed_at.is_(None)
        query = select(jobs.c.inputs).where(mine).order_by(jobs.c.number.desc()).limit(limit)
        return [one for one in (await self._session.execute(query)).scalars() if isinstance(one, dict)]


def word_rules_of(rows: Sequence[RowMapping]) -> tuple[WordRule, ...]:
    """Return the rules of the rows, in alphabetical order."""
    return tuple(
        sorted((WordRule(row["words"], row["key"], row["effect"]) for row in rows), key=lambda rule: rule.key)
    )


# A statement, made once (see `Session.execute`).
_GET = select(word_rules).where(word_rules.c.guild_id == bindparam("guild"))
