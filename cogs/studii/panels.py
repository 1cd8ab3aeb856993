"""The commands of `/studii` that open panels, and the menu that blocks a member."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.panels.settings import open_panel
from bot.ui.settings.credits import CREDITS
from bot.ui.settings.moderation import MODERATION, show_block_form
from bot.ui.settings.photos import PHOTOS
from bot.ui.settings.results import RESULTS
from cogs.studii.group import Command, add_to_studii, function_command

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


async def setup(bot: StudiiBot) -> None:
    add_to_studii(
        bot,
        panel_command(CREDITS.name, N_("The budget, allowances, and where the credits went")),
        panel_command(PHOTOS.name, N_("Emoji and channels that run tools on photos, and whose photos")),
        panel_command(RESULTS.name, N_("Where and how results appear in this server")),
        panel_command(MODERATION.name, N_("The word filter, approvals, blocked members, who can use what")),
    )
    menu = app_commands.ContextMenu(name=BLOCK, callback=block)
    bot.tree.add_command(app_commands.default_permissions(manage_guild=True)(menu))
