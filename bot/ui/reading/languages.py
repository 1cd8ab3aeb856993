"""The languages of those who read what the bot shows."""

from collections.abc import Callable

import discord

from bot.domain.guilds import ServerLanguage
from bot.languages import Language, known_language
from bot.services.languages import LanguageService

COMMUNITY = "COMMUNITY"  # the only servers whose admins can choose Discord's `preferred_locale`


class Readers:
    """Says in which language to speak in a server, and to one person."""

    def __init__(self, client: discord.Client, known: Callable[[], LanguageService]) -> None:
        self._client = client
        self._known = known

    async def in_server(self, guild_id: int) -> Language:
        """Return the language of what a server's channels show."""
        return server_language(await self._known().of_server(guild_id), self._client.get_guild(guild_id))

    async def of_person(self, user_id: int, guild_id: int) -> Language:
        """Return a person's last known language, else that of the server they are written to from."""
        return await self._known().of_member(user_id) or await self.in_server(guild_id)


def server_language(chosen: ServerLanguage, guild: discord.Guild | None) -> Language:
    """Return the server's language: chosen, else of its Community, else of the admin who set it up.

    Before anybody has set it up, Discord's language of any server is the best guess.
    """
    known = chosen.chosen or community_language(guild) or chosen.of_admin
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
