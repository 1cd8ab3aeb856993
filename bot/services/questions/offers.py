"""Remember which messages offer tools, so that they are removed when nobody takes them."""

from bot.domain.offers import OFFERED_FOR, Offer
from bot.services.service import Service


class OfferService(Service):
    """Stores offers. The engine removes them, also after a restart."""

    async def posted(self, guild_id: int, channel_id: int, message_id: int) -> None:
        """Remember a message that offers tools."""
        until = self._clock.now() + OFFERED_FOR
        async with self._storage.write() as transaction:
            await transaction.offers.add(Offer(message_id, guild_id, channel_id, until))
