"""/credits: what is left, and what the member has used."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.credits.limits import of_member
from bot.jobs import queries
from bot.languages import N_
from bot.services import Services
from bot.ui.account.credits import credits_panel
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.responses import answer
from bot.ui.reading.member import member_context
from bot.ui.reading.permissions import server_of

RECENT_JOBS = 5


class Credits(commands.Cog):
    """Shows members the server's credits; only they see the answer."""

    def __init__(self, services: Services, catalog: Catalog) -> None:
        self._services = services
        self._names = ToolNames(catalog)

    @app_commands.command(name="credits", description=N_("Show the credits left and your usage"))
    async def credits(self, interaction: discord.Interaction) -> None:
        guild_id, user_id = server_of(interaction), interaction.user.id
        db, now = self._services.db, self._services.clock.now()
        roles = member_context(interaction).roles
        member = await db.read(of_member, guild_id, user_id, roles, now)
        recent = await db.read(queries.page, guild_id, user_id, 0, RECENT_JOBS)
        await answer(interaction, credits_panel(member, recent, self._names))


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Credits(bot.services, bot.catalog))
