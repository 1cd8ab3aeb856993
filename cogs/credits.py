"""/credits: what is left, what one has used, what things cost."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import Catalog
from bot.client import StudiiBot
from bot.errors import Refused
from bot.services import CreditService
from bot.ui.panels import credits_panel
from bot.ui.problems import answer, telling
from bot.ui.words import ToolNames


class Credits(commands.Cog):
    """What members may know of the server's credits, shown to themselves alone."""

    def __init__(self, service: CreditService, catalog: Catalog) -> None:
        self._service = service
        self._names = ToolNames(catalog)

    @app_commands.command(name="credits", description="See what is left, what you used, and prices")
    async def credits(self, interaction: discord.Interaction[Any]) -> None:
        async with telling(interaction):
            if interaction.guild_id is None:
                raise Refused("This works in a server only.")
            member = await self._service.member(interaction.guild_id, interaction.user.id)
            prices = await self._service.prices()
            await answer(interaction, credits_panel(member, prices, self._names))


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Credits(bot.services.credits, bot.catalog))
