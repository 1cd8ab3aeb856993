"""Requests that word rules refused, and members to whom a reason was sent."""

from datetime import datetime

from sqlalchemy import bindparam, delete, func, insert, select

from bot.storage.database.repository import Repository
from bot.storage.schema import refusals_told, word_refusals


class Refusals(Repository):
    """Refusals within one transaction."""

    async def count(self, guild_id: int, user_id: int, at: datetime, since: datetime) -> int:
        """Add a refusal by a word rule. Return the number of the member's refusals since that time."""
        kept = word_refusals.c
        await self._session.execute(delete(word_refusals).where((kept.at <= since) | (kept.at > at)))
        row = {"guild_id": guild_id, "user_id": user_id, "at": at}
        await self._session.execute(insert(word_refusals).values(row))
        theirs = (kept.guild_id == guild_id) & (kept.user_id == user_id)
        query = select(func.count()).select_from(word_refusals).where(theirs)
        return (await self._session.execute(query)).scalar_one()

    async def reset(self, guild_id: int, user_id: int) -> None:
        """Forget the member's refusals by word rules."""
        await self._session.remove(word_refusals, {"guild_id": guild_id, "user_id": user_id})

    async def tell(self, guild_id: int, user_id: int, reason: str, at: datetime, since: datetime) -> bool:
        """Record that the reason is sent to the member. Return False if it was sent after `since`."""
        await self._session.execute(_FORGET_TOLD, {"since": since, "at": at})
        key = {"guild_id": guild_id, "user_id": user_id, "reason": reason}
        return await self._session.put_new(refusals_told, key, {"told_at": at})


# A statement, made once (see `Session.execute`).
# Times in the future mean that the clock was set back. They do not count.
_FORGET_TOLD = delete(refusals_told).where(
    (refusals_told.c.told_at <= bindparam("since")) | (refusals_told.c.told_at > bindparam("at"))
)
