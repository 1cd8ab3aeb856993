"""/jobs: a member's jobs, their state, and what can be done with each."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.jobs.listing import ListQuery, show_list


class JobList(commands.Cog):
    """Shows a member their jobs; only they see the answer."""

    @app_commands.command(name="jobs", description=N_("Show your jobs; cancel or run them again"))
    async def jobs(self, interaction: discord.Interaction) -> None:
        await show_list(interaction, ListQuery())


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(JobList())
