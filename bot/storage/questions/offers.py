"""Messages that offer tools after a mention, until they are removed."""

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import bindparam, delete, insert, select

from bot.domain.offers import Offer
from bot.storage.database.repository import Repository
from bot.storage.schema import offers

MAX_READ = 500


class Offers(Repository):
    """Offers within one transaction."""

    async def add(self, offer: Offer) -> None:
        """Store a new offer."""
        await self._session.execute(_ADD, asdict(offer))

    async def next(self) -> list[Offer]:
        """Return the offers that end next, at most 500."""
        ours = self._session.ours(_NEXT, offers.c.guild_id)
        return [Offer(**row) for row in (await self._session.execute(ours)).mappings()]

    async def remove(self, message_ids: Collection[int]) -> None:
        """Forget offers."""
        await self._session.execute(_REMOVE, {"messages": list(message_ids)})


# Statements, made once (see `Session.execute`).
_ADD = insert(offers)
_NEXT = select(offers).order_by(offers.c.expires_at).limit(MAX_READ)
_REMOVE = delete(offers).where(offers.c.message_id.in_(bindparam("messages", expanding=True)))
