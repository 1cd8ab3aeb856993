"""Members to whom a reason was sent why nothing was started."""

from datetime import datetime

from sqlalchemy import bindparam, delete

from bot.storage.database.repository import Repository
from bot.storage.schema import refusals_told


class Refusals(Repository):
    """Reasons that members were told, within one transaction."""

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
