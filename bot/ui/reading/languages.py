"""The languages of those who read what the bot shows."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import discord

from bot.aio.tasks import BoundedDict, WakeUp, run_forever
from bot.errors import Outage
from bot.languages import Language, known_language
from bot.servers import settings
from bot.servers.settings import GuildSettings
from bot.services import Services

COMMUNITY = "COMMUNITY"  # the only servers whose admins can choose Discord's `preferred_locale`
MAX_REMEMBERED_LANGUAGES = 10_000  # of members
MAX_UNSTORED_LANGUAGES = 1000  # members; what is beyond is stored when they come again
STORED_AFTER = 5.0  # seconds, so that those of a crowd are stored at once


class Readers:
    """Says in which language to speak in a server, and to one person, which is the one last heard of."""

    def __init__(self, client: discord.Client, services: Callable[[], Services]) -> None:
        self._client = client
        self._services = services
        self._heard = BoundedDict[int, Language](MAX_REMEMBERED_LANGUAGES)
        self._unstored: dict[int, Language] = {}
        self._wake_up = WakeUp()

    async def in_server(self, guild_id: int) -> Language:
        """Return the language of what a server's channels show."""
        try:
            server = await self._services().db.read(settings.of, guild_id)
        except Outage:
            server = GuildSettings(guild_id)  # better another language than no answer
        return server_language(server, self._client.get_guild(guild_id))

    async def of_person(self, user_id: int, guild_id: int) -> Language:
        """Return a person's last known language, else that of the server they are written to from."""
        with suppress(Outage):
            known = self._heard.get(user_id)
            known = known or await self._services().db.read(settings.language_of, user_id)
            if known is not None:
                return known
        return await self.in_server(guild_id)

    def heard(self, user_id: int, language: Language) -> None:
        """Note the language of a member who used the bot. It is stored a little later."""
        if self._heard.get(user_id) is not language and len(self._unstored) < MAX_UNSTORED_LANGUAGES:
            self._heard[user_id] = self._unstored[user_id] = language
            self._wake_up.set()

    def forget(self, user_id: int) -> None:
        """Store nothing more of the member, until they use the bot with another language or after a restart.

        The caller erases what is stored already.
        """
        self._unstored.pop(user_id, None)

    async def run(self) -> None:
        """Store what is heard of members."""

        async def turn() -> None:
            await asyncio.sleep(STORED_AFTER)
            await self.store()

        await run_forever("storing members' languages", self._wake_up, turn)

    async def store(self) -> None:
        """Store what was heard of members since the last time."""
        services, fresh = self._services(), self._unstored
        self._unstored = {}
        try:
            await services.db.write(settings.note_languages, fresh, services.clock.now())
        except Outage:
            for user_id in fresh:
                self._heard.pop(user_id, None)  # noted again when they come again
            raise


def server_language(server: GuildSettings, guild: discord.Guild | None) -> Language:
    """Return the server's language: chosen, else of its Community, else of the admin who set it up.

    Before anybody has set it up, Discord's language of any server is the best guess.
    """
    known = server.chosen_language or community_language(guild) or server.admin_language
    if known is None and guild is not None:
        known = known_language(guild.preferred_locale.value)
    return known or Language.ENGLISH


def community_language(guild: discord.Guild | None) -> Language | None:
    """Return the language that a Community server has set in Discord, or None if the bot can't speak it.

    https://discord.com/developers/docs/resources/guild#guild-object
    """
    if guild is None or COMMUNITY not in guild.features:
        return None
    return known_language(guild.preferred_locale.value)
