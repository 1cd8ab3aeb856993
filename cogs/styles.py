"""/styles: what a member saved, and the server's styles."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.languages import N_
from bot.ui.kit.first_answer import read_for_suggestions
from bot.ui.reading.permissions import manages
from bot.ui.styles.choosing import style_choices, style_meant, usable_styles
from bot.ui.styles.panel import show_style, show_styles
from cogs.studii.group import Choices, choices, function_command

# What was chosen from a list, or a name.
Chosen = app_commands.Range[str, 1, 100]


@function_command(name="styles", description=N_("Show your styles and this server's, use or remove one"))
@app_commands.describe(name=N_("The style to show; leave out for a list"))
async def styles(interaction: discord.Interaction, name: Chosen | None = None) -> None:
    """Show all styles, or one."""
    if name is None:
        await show_styles(interaction)
    else:
        await show_style(interaction, style_meant(interaction, name, manages=manages(interaction)))


@styles.autocomplete("name")
async def suggest(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the styles that the person may use or manage."""
    reading = usable_styles(interaction, manages=manages(interaction))
    return choices(style_choices(await read_for_suggestions(interaction, reading), typed))


async def setup(bot: StudiiBot) -> None:
    bot.tree.add_command(styles)
