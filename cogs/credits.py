"""/credits: what is left, what one has used, what things cost."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import Catalog
from bot.client import StudiiBot
from bot.errors import Refused
from bot.services import Services
from bot.ui.panels import credits_panel
from bot.ui.problems import answer, telling
from bot.ui.standing import standing_of
from bot.ui.words import ToolNames


class Credits(commands.Cog):
    """What members may know of the server's credits, shown to themselves alone."""

    def __init__(self, services: Services, catalog: Catalog) -> None:
        self._services = services
        self._names = ToolNames(catalog)

    @app_commands.command(name="credits", description="See what is left, what you used, and prices")
    async def credits(self, interaction: discord.Interaction[Any]) -> None:
        async with telling(interaction):
            if interaction.guild_id is None:
                raise Refused("This works in a server only.")
            guild_id, user_id = interaction.guild_id, interaction.user.id
            member = await self._services.credits.member(guild_id, user_id)
            limits = await self._services.limits.of_member(guild_id, user_id, standing_of(interaction).roles)
            prices = await self._services.credits.prices()
            await answer(interaction, credits_panel(member, limits, prices, self._names))


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Credits(bot.services, bot.catalog))
