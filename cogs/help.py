"""/help: what one can do here. /studii panel: the same buttons, posted for everyone."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.guide.help import show_help
from bot.ui.guide.panel import post_panel
from cogs.studii.group import Command, add_to_studii, function_command


class Help(commands.Cog):
    """Shows people what they can do; only they see the answer."""

    @app_commands.command(name="help", description=N_("Show what you can do here, with buttons to start"))
    async def help(self, interaction: discord.Interaction) -> None:
        await show_help(interaction)


def panel_command() -> Command:
    """Build `/studii panel`."""

    @function_command(
        name="panel", description=N_("Post buttons for every tool in this channel, to be pinned")
    )
    async def panel(interaction: discord.Interaction) -> None:
        await post_panel(interaction)

    return panel


async def setup(bot: StudiiBot) -> None:
    add_to_studii(bot, panel_command())
    await bot.add_cog(Help())
