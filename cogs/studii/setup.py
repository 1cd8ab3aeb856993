"""/studii setup; a server that adds or removes the bot."""

import logging
from functools import partial

import discord
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.client.event_retry import ComparingCog, EventRetry
from bot.client.login import was_removed
from bot.languages import N_
from bot.servers import privacy, settings
from bot.servers.key_entry import lost
from bot.ui.admin.greeting import greet
from bot.ui.settings.setup import greeting, key_lost, open_setup
from cogs.studii.group import Command, add_to_studii

# Events that wait for the end of an outage. If there are more, all servers are compared after it.
MAX_WAITING_SERVERS = 5000

_log = logging.getLogger(__name__)


class ServerEvents(ComparingCog):
    """The events when a server adds or removes the bot."""

    def __init__(self, bot: StudiiBot) -> None:
        self._bot = bot
        self._services = bot.services
        events = EventRetry(MAX_WAITING_SERVERS, self._compare)
        super().__init__(bot, events)
        self._new: set[int] = set()
        self._without_key: set[int] = set()

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self._events.handle(guild.id, partial(self._welcome, guild))

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self._events.handle(guild.id, partial(self._tell, guild))

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self._events.handle(guild.id, partial(self._goodbye, guild.id))

    async def _welcome(self, guild: discord.Guild) -> None:
        if await self._services.db.write(settings.came, guild.id, self._bot.clock.now()):
            await greet(self._bot, self._bot.readers, guild, partial(greeting, guild.id))

    async def _goodbye(self, guild_id: int) -> None:
        await self._services.db.write(privacy.left, guild_id, self._bot.clock.now())

    async def _tell(self, guild: discord.Guild) -> None:
        """Send what waits for the server, once it is available."""
        if guild.unavailable:
            return
        if guild.id in self._new:
            await self._welcome(guild)
            self._new.discard(guild.id)
        if guild.id in self._without_key:
            self._without_key.discard(guild.id)
            await greet(self._bot, self._bot.readers, guild, partial(key_lost, guild))

    async def _compare(self) -> None:
        present = [guild.id for guild in self._bot.guilds]
        own = self._bot.application_id or 0
        found = await self._services.db.write(settings.compare, own, present)
        if found is None:
            _log.warning("The token belongs to another bot now, so missing servers don't count as left.")
        joined, absent = found or ((), ())
        # Discord sends no event for these: they added the bot while it was offline.
        self._new.update(joined)
        self._without_key.update(await self._services.db.write(lost, self._services.vault))
        for guild in self._bot.guilds:
            await self._tell(guild)
        gone = [guild_id for guild_id in absent if await was_removed(self._bot, guild_id)]
        await self._services.db.write(privacy.part, gone, self._bot.clock.now())


async def setup(bot: StudiiBot) -> None:
    describing = N_("Show the setup, and what's missing")
    add_to_studii(bot, Command(name="setup", description=describing, callback=open_setup))
    await bot.add_cog(ServerEvents(bot))
