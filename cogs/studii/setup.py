"""/studii setup, forget-key, pause and resume; a server that adds or removes the bot."""

import logging
from functools import partial

import discord
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.client.event_retry import ComparingCog, EventRetry
from bot.client.login import was_removed
from bot.errors import Refused
from bot.languages import N_, gettext as _, lazy
from bot.servers import keys, privacy, settings
from bot.servers.key_entry import lost
from bot.services import Services
from bot.ui.admin.setup.greeting import greet
from bot.ui.admin.setup.panel import ask_to_forget, greeting, key_lost, setup_panel_for
from bot.ui.kit.host import host_of
from bot.ui.kit.layout import GOOD, boxed
from bot.ui.kit.responses import answer
from bot.ui.reading.permissions import manages, server_of
from cogs.studii.group import Command, add_to_studii, function_command

PAUSE_BEGUN = lazy("New jobs are paused. Running jobs will finish. `/studii resume` ends the pause.")
STILL_PAUSED = lazy("New jobs are already paused. Running jobs will finish. `/studii resume` ends the pause.")

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


def setup_commands(services: Services) -> list[Command]:
    """Build `/studii setup`, `forget-key`, `pause` and `resume`."""

    @function_command(name="setup", description=N_("Show the setup, and what's missing"))
    async def setup_(interaction: discord.Interaction) -> None:
        let_in = not manages(interaction)
        await answer(interaction, await setup_panel_for(interaction, let_in=let_in))

    @function_command(name="forget-key", description=N_("Remove this server's Studii key"))
    async def forget_key(interaction: discord.Interaction) -> None:
        key = await services.db.read(keys.current, server_of(interaction))
        if key is None:
            raise Refused(lazy("This server has no Studii key. `/studii key` sets one."))
        await answer(interaction, ask_to_forget(key, let_in=not manages(interaction)))

    @function_command(name="pause", description=N_("Pause new jobs; running jobs will finish"))
    async def pause(interaction: discord.Interaction) -> None:
        changed = await _pause(interaction, services, paused=True)
        await answer(interaction, boxed(GOOD, PAUSE_BEGUN if changed else STILL_PAUSED))

    @function_command(name="resume", description=N_("Accept new jobs again"))
    async def resume(interaction: discord.Interaction) -> None:
        changed = await _pause(interaction, services, paused=False)
        words = _("Resumed. Members can start jobs again.") if changed else _("New jobs weren't paused.")
        await answer(interaction, boxed(GOOD, words))

    return [setup_, forget_key, pause, resume]


async def _pause(interaction: discord.Interaction, services: Services, *, paused: bool) -> bool:
    now = host_of(interaction).clock.now()
    return await services.db.write(settings.pause, server_of(interaction), now, paused=paused)


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, *setup_commands(bot.services))
    await bot.add_cog(ServerEvents(bot))
