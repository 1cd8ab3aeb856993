"""The languages of those who read what the bot shows."""

from collections.abc import Callable
from contextlib import suppress

import discord

from bot.aio.tasks import WakeUp, run_forever
from bot.errors import DatabaseFailed
from bot.languages import Language, known_language
from bot.resources import Resources
from bot.servers import settings

COMMUNITY = "COMMUNITY"  # the only servers whose admins can choose Discord's `preferred_locale`
MAX_REMEMBERED_LANGUAGES = 10_000  # of members
STORED_EVERY = 5.0  # seconds, so that those of a crowd are stored at once


class Readers:
    """Says in which language to speak in a server, and to one person, which is the one last heard of."""

    def __init__(self, client: discord.Client, resources: Callable[[], Resources]) -> None:
        self._client = client
        self._resources = resources
        self.heard: dict[int, Language] = {}  # since the last time that languages were stored
        self._stored: dict[int, Language] = {}  # or to be stored no more

    async def in_server(self, guild_id: int) -> Language:
        """Return the language of what a server's channels show."""
        try:
            server = await self._resources().db.read(settings.of, guild_id)
        except DatabaseFailed:
            server = settings.GuildSettings(guild_id)  # better another language than no answer
        return server_language(server, self._client.get_guild(guild_id))

    async def of_person(self, user_id: int, guild_id: int) -> Language:
        """Return a person's last known language, else that of the server they are written to from."""
        with suppress(DatabaseFailed):
            known = self.heard.get(user_id) or self._stored.get(user_id)
            known = known or await self._resources().db.read(settings.language_of, user_id)
            if known is not None:
                return known
        return await self.in_server(guild_id)

    def forget(self, user_id: int) -> None:
        """Store nothing more of the member, until they use the bot with another language or after a restart.

        The caller erases what is stored already.
        """
        if (known := self.heard.pop(user_id, None)) is not None:
            self._stored[user_id] = known

    async def run(self) -> None:
        """Store what is heard of members."""
        await run_forever("storing members' languages", WakeUp(), self.store)

    async def store(self) -> float:
        """Store what was heard of members since the last time. Return when to do so again."""
        resources, heard, self.heard = self._resources(), self.heard, {}
        fresh = dict(heard.items() - self._stored.items())
        # Before the database says so, as a member may be forgotten meanwhile; the newest are the last.
        self._stored = {one: known for one, known in self._stored.items() if one not in heard} | heard
        for one in [*self._stored][:-MAX_REMEMBERED_LANGUAGES]:
            del self._stored[one]
        if fresh:
            try:
                await resources.db.write(settings.note_languages, fresh, resources.clock.now())
            except DatabaseFailed:
                for one in fresh:  # noted again when they come again
                    self._stored.pop(one, None)
                raise
        return STORED_EVERY


def server_language(server: settings.GuildSettings, guild: discord.Guild | None) -> Language:
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
