"""/studii: what a server's admins set."""

import asyncio
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.domain import Period
from bot.services import MAX_BUDGET, Services, matching_zones
from bot.ui.admin.key_form import KeyModal
from bot.ui.admin.photos import metadata_panel
from bot.ui.jobs.credits import budget_panel
from bot.ui.kit.forms import show_form
from bot.ui.kit.responses import answer, telling
from bot.ui.reading.openers import Opener
from bot.ui.reading.permissions import server_of
from cogs.insight import add_insight_commands
from cogs.logs import add_log_command

_PERIODS = [
    app_commands.Choice(name="a day", value=Period.DAY.value),
    app_commands.Choice(name="a week", value=Period.WEEK.value),
    app_commands.Choice(name="a month", value=Period.MONTH.value),
    app_commands.Choice(name="in all, not renewed", value=Period.TOTAL.value),
]


# Discord's own permission, which admins can change under Server Settings, Integrations.
@app_commands.default_permissions(manage_guild=True)
class Settings(
    commands.GroupCog,
    group_name="studii",
    group_description="Set up Studii in this server",
):
    """The settings of a server. Discord lets those with Manage Server run them, and those whom admins add."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @app_commands.command(name="key", description="Enter or replace this server's Studii key")
    async def key(self, interaction: discord.Interaction[Any]) -> None:
        async with telling(interaction):
            guild_id = server_of(interaction)
            current = await self._services.keys.current(guild_id)
            await show_form(interaction, KeyModal(self._services, current, Opener.of(interaction)))

    @app_commands.command(name="budget", description="See or set how many credits this server may spend")
    @app_commands.describe(
        credits_="How many credits; leave it out to see the budget as it is",
        period="How often it renews; a day if you leave it out the first time",
        timezone="In which time zone days, weeks and months begin, such as Europe/Berlin",
        restart="Count a one-off total anew from now on",
    )
    @app_commands.rename(credits_="credits")
    @app_commands.choices(period=_PERIODS)
    async def budget(
        self,
        interaction: discord.Interaction[Any],
        credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
        period: str | None = None,
        timezone: app_commands.Range[str, 1, 64] | None = None,
        restart: bool = False,
    ) -> None:
        async with telling(interaction):
            guild_id = server_of(interaction)
            if credits_ is None and period is None and timezone is None and not restart:
                await answer(interaction, budget_panel(await self._services.credits.budget(guild_id)))
                return
            # What is left out stays as it is.
            chosen = None if period is None else Period(period)
            state = await self._services.credits.set_budget(
                guild_id, credits_, chosen, timezone, restart=restart
            )
            zone_alone = credits_ is None and period is None and not restart
            title = "The time zone is set" if zone_alone else "The budget is set"
            await answer(interaction, budget_panel(state, title))

    @app_commands.command(
        name="metadata", description="See or set whether location and camera data is removed from photos"
    )
    @app_commands.describe(remove="Leave it out to see the current setting")
    async def metadata(self, interaction: discord.Interaction[Any], remove: bool | None = None) -> None:
        async with telling(interaction):
            guild_id = server_of(interaction)
            servers = self._services.servers
            if remove is not None:
                await servers.keep_metadata(guild_id, keeps=not remove)
            await answer(interaction, metadata_panel(keeps=await servers.keeps_metadata(guild_id)))

    @budget.autocomplete("timezone")
    async def zones(
        self, interaction: discord.Interaction[Any], typed: str
    ) -> list[app_commands.Choice[str]]:
        return [
            app_commands.Choice(name=zone, value=zone)
            for zone in await asyncio.to_thread(matching_zones, typed)
        ]


async def setup(bot: StudiiBot) -> None:
    settings = Settings(bot.services)
    add_log_command(settings.app_command, bot.services)
    add_insight_commands(settings.app_command, bot.services, bot.catalog)
    await bot.add_cog(settings)
