"""Tell people why no job was started under a photo."""

from collections.abc import Callable

import discord

from bot.clock import Clock
from bot.db import Database
from bot.errors import CreditsWanted
from bot.features import refusals
from bot.languages import Language, ReaderLanguages, lazy, speaking

OFFER_SKIPPED = lazy(
    "Too many photos were posted at the same time, so yours has no emoji to tap. "
    "To run a tool on it, open the menu of your message and choose Apps."
)


class RefusalTeller:
    """Tells a member the same reason only once in a while. The engine sends it."""

    def __init__(self, db: Database, clock: Clock, readers: ReaderLanguages) -> None:
        self._db = db
        self._clock = clock
        self._readers = readers

    async def tell(
        self,
        member: discord.Member,
        reason: Callable[[], str],
        message: discord.Message | None = None,
        wanted: CreditsWanted | None = None,
    ) -> None:
        """Let the member know by DM why no job was started, in their language, in which `reason` is called.

        `wanted`: the credits that an admin can be asked for.

        If their DMs are closed, a short reply to `message` says that nothing was started, but not why:
        everybody reads it. Raises `Outage`.
        """
        with speaking(Language.ENGLISH):
            english = reason()
        with speaking(await self._readers.of_person(member.id, member.guild.id)):
            words = reason()
        under = None if message is None else (message.channel.id, message.id)
        about = member.guild.id, member.id, english, words, self._clock.now(), under, wanted
        await self._db.write(refusals.tell, *about)
