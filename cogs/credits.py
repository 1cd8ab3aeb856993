"""/credits: what is left, what the member has used, what tools cost. /tools: what the tools do."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.credits.limits import of_member
from bot.credits.prices import price_table
from bot.jobs import queries
from bot.languages import N_
from bot.services import Services
from bot.ui.account.credits import credits_panel
from bot.ui.guide.available_tools import available_for
from bot.ui.guide.tool_list import read_examples, tools_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.deferral import LateAnswer
from bot.ui.kit.first_answer import defer_answer
from bot.ui.kit.responses import answer
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import server_of

RECENT_JOBS = 5


class Credits(commands.Cog):
    """Shows members the server's credits and tools; only they see the answers."""

    def __init__(self, services: Services, catalog: Catalog) -> None:
        self._services = services
        self._names = ToolNames(catalog)

    @app_commands.command(name="credits", description=N_("Show the credits left, your usage, and prices"))
    async def credits(self, interaction: discord.Interaction) -> None:
        guild_id, user_id = server_of(interaction), interaction.user.id
        db, catalog, now = self._services.db, self._services.catalog, self._services.clock.now()
        roles = member_context(interaction).roles
        member = await db.read(of_member, guild_id, user_id, roles, now)
        recent = await db.read(queries.page, guild_id, user_id, 0, RECENT_JOBS)
        prices = (await db.read(price_table, guild_id)).all_listed(catalog)
        await answer(interaction, credits_panel(member, recent, prices, self._names))

    @app_commands.command(
        name="tools", description=N_("Show what you can make here, with examples and prices")
    )
    async def tools(self, interaction: discord.Interaction) -> None:
        guild_id = server_of(interaction)
        # On a slow connection the pictures take longer than Discord waits for a first answer.
        await defer_answer(interaction, LateAnswer.VIEW)
        available = await available_for(
            self._services, guild_id, interaction.user.id, member_context(interaction)
        )
        pictures = await asyncio.to_thread(read_examples, [one.tool.slug for one in available.prices])
        panel, files = tools_panel(available, pictures)
        await answer(interaction, panel, files)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Credits(bot.services, bot.catalog))
