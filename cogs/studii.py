"""`/studii`: the group of admins' commands, and the events of servers that add or remove the bot."""

import logging
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client.bot import ComparingCog, StudiiBot
from bot.client.login import was_removed
from bot.credits import limits
from bot.credits.budgets import MAX_BUDGET
from bot.domain.guilds import Period
from bot.features.wording import PERIOD_CHOICES
from bot.languages import N_
from bot.servers import privacy, settings
from bot.servers.key_entry import lost
from bot.services import Services
from bot.ui.admin.credits import grant_panel, member_panel
from bot.ui.kit.answers import answer
from bot.ui.kit.layout import Panel, shortened
from bot.ui.panels.settings import Scope, open_panel
from bot.ui.reading.permissions import roles_of, server_of
from bot.ui.settings.credits import CREDITS, budget_value, load, set_budget
from bot.ui.settings.moderation import MODERATION, show_block_form
from bot.ui.settings.photos import PHOTOS
from bot.ui.settings.results import RESULTS
from bot.ui.settings.setup import greet, greeting, key_lost, open_setup

MAX_SUGGESTIONS = 25  # that Discord shows

Choices = list[app_commands.Choice[str]]
Command = app_commands.Command[Any, ..., Any]
# Makes a command of a function. The decorator's own type cannot be inferred for a function outside of a cog.
function_command: Any = app_commands.command


def choices(found: Iterable[tuple[str, str]]) -> Choices:
    """Return the first of these names and values as Discord shows them."""
    shown = islice(found, MAX_SUGGESTIONS)
    return [app_commands.Choice(name=shortened(name, 100) or "…", value=value) for name, value in shown]


# Untranslated: menus' names are translated where they are sent.
BLOCK = N_("Block from Studii")


def panel_command(name: str, description: str) -> Command:
    """Return the command that opens the panel of that name."""

    @function_command(name=name, description=description)
    async def command(interaction: discord.Interaction) -> None:
        await open_panel(interaction, name)

    return command


async def block(interaction: discord.Interaction, member: discord.Member) -> None:
    await show_block_form(interaction, member.id)


_PERIODS = [app_commands.Choice(name=words, value=period.value) for period, words in PERIOD_CHOICES.items()]


def budget_command() -> Command:
    """Build `/studii budget`."""

    @function_command(name="budget", description=N_("Show or set how many credits this server can spend"))
    @app_commands.describe(
        credits_=N_("How many credits; leave out to see the current budget"),
        period=N_("How often it renews; a day, unless you choose"),
    )
    @app_commands.rename(credits_="credits")
    @app_commands.choices(period=_PERIODS)
    async def budget(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
        period: str | None = None,
    ) -> None:
        given = {"limit": credits_, "period": None if period is None else Period(period).value}
        typed = {name: value for name, value in given.items() if value is not None}
        await open_panel(interaction, CREDITS.name, partial(_set_budget, typed) if typed else None)

    return budget


def _set_budget(typed: dict[str, Any], session: Any, scope: Scope) -> Any:
    """Set the budget. What was left out keeps its value."""
    return set_budget(session, scope, budget_value(load(session, scope)) | typed)


def grant_command(services: Services) -> Command:
    """Build `/studii grant`."""

    @function_command(name="grant", description=N_("Show or add extra credits for this period"))
    @app_commands.describe(
        credits_=N_("How many credits to add to this period; negative to take back"),
        member=N_("The member to grant them to; leave out for the server"),
    )
    @app_commands.rename(credits_="credits")
    async def grant(
        interaction: discord.Interaction,
        credits_: app_commands.Range[int, -MAX_BUDGET, MAX_BUDGET] | None = None,
        member: discord.User | None = None,  # also one who has left
    ) -> None:
        guild_id, now = server_of(interaction), services.clock.now()
        if credits_ is not None:
            whose = None if member is None else member.id
            await services.db.write(limits.grant, guild_id, whose, credits_, now)
        if member is not None:
            await answer(interaction, await _of_member(services, guild_id, member, credits_ or 0))
            return
        budget, members = await services.db.read(limits.grants, guild_id, now)
        await answer(interaction, grant_panel(budget, members, granted_now=credits_ or 0))

    return grant


async def _of_member(
    services: Services, guild_id: int, user: discord.User | discord.Member, granted: int
) -> Panel:
    here = isinstance(user, discord.Member)
    roles = roles_of(user) if here else frozenset[int]()
    state = await services.db.read(limits.of_member, guild_id, user.id, roles, services.clock.now())
    return member_panel(user.id, state, granted_now=granted, here=here)


_log = logging.getLogger(__name__)


class ServerEvents(ComparingCog):
    """The events when a server adds or removes the bot."""

    def __init__(self, bot: StudiiBot) -> None:
        self._bot = bot
        self._services = bot.services
        super().__init__(bot)
        self._new: set[int] = set()
        self._without_key: set[int] = set()

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        await self.handle(self._welcome, guild)

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        await self.handle(self._tell, guild)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await self.handle(self._goodbye, guild.id)

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

    async def compare(self) -> None:
        """Find the servers that added or removed the bot while nobody heard of it."""
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
    group = app_commands.Group(
        name="studii",
        description=N_("Set up Studii in this server"),
        # Discord's own permission, which admins can change under Server Settings, Integrations.
        default_permissions=discord.Permissions(manage_guild=True),
    )
    for command in (
        panel_command(CREDITS.name, N_("The budget, allowances, and where the credits went")),
        panel_command(PHOTOS.name, N_("Emoji and channels that run tools on photos, and whose photos")),
        panel_command(RESULTS.name, N_("Where and how results appear in this server")),
        panel_command(MODERATION.name, N_("The word filter, approvals, blocked members, who can use what")),
        budget_command(),
        grant_command(bot.services),
        Command(name="setup", description=N_("Show the setup, and what's missing"), callback=open_setup),
    ):
        group.add_command(command)
    bot.tree.add_command(group)
    menu = app_commands.ContextMenu(name=BLOCK, callback=block)
    bot.tree.add_command(app_commands.default_permissions(manage_guild=True)(menu))
    await bot.add_cog(ServerEvents(bot))
