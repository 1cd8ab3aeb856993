"""The commands with which members look and choose: /jobs, /credits, /styles, /settings and /help."""

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.credits.limits import of_member
from bot.jobs import queries
from bot.languages import N_
from bot.ui.admin.credits import credits_panel
from bot.ui.help import show_help
from bot.ui.jobs.listing import ListQuery, show_list
from bot.ui.kit.answers import answer, read_for_suggestions
from bot.ui.kit.host import host_of
from bot.ui.reading.permissions import manages, member_context, server_of
from bot.ui.settings.mine import MINE
from bot.ui.styles.choosing import style_choices, style_meant, usable_styles
from bot.ui.styles.panel import show_style, show_styles
from cogs.studii import Choices, Command, choices, function_command, panel_command

RECENT_JOBS = 5
# What was chosen from a list, or a name.
Chosen = app_commands.Range[str, 1, 100]


async def jobs(interaction: discord.Interaction) -> None:
    await show_list(interaction, ListQuery())


async def credits_left(interaction: discord.Interaction) -> None:
    """Show what is left, and what the member has used."""
    guild_id, user_id, host = server_of(interaction), interaction.user.id, host_of(interaction)
    db, roles = host.services.db, member_context(interaction).roles
    member = await db.read(of_member, guild_id, user_id, roles, host.clock.now())
    recent = await db.read(queries.page, guild_id, user_id, 0, RECENT_JOBS)
    await answer(interaction, credits_panel(member, recent, host.catalog))


@function_command(name="styles", description=N_("Show your styles and this server's, use or remove one"))
@app_commands.describe(name=N_("The style to show; leave out for a list"))
async def styles(interaction: discord.Interaction, name: Chosen | None = None) -> None:
    """Show all styles, or one."""
    if name is None:
        await show_styles(interaction)
    else:
        await show_style(interaction, await style_meant(interaction, name, manages=manages(interaction)))


@styles.autocomplete("name")
async def suggest(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the styles that the person may use or manage."""
    reading = usable_styles(interaction, manages=manages(interaction))
    return choices(style_choices(await read_for_suggestions(interaction, reading), typed))


async def setup(bot: StudiiBot) -> None:
    for command in (
        Command(name="jobs", description=N_("Show your jobs; cancel or run them again"), callback=jobs),
        Command(
            name="credits", description=N_("Show the credits left and your usage"), callback=credits_left
        ),
        styles,
        panel_command(
            MINE.name, N_("Who can use your photos, your defaults for each tool, and erasing your data")
        ),
        Command(
            name="help",
            description=N_("Show what you can do here, with buttons to start"),
            callback=show_help,
        ),
    ):
        bot.tree.add_command(command)
