"""The commands beside the tools': those of admins, under `/studii`, and those with which members look."""

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.credits import limits
from bot.credits.budgets import MAX_BUDGET
from bot.jobs import queries
from bot.languages import N_
from bot.servers.settings import Period
from bot.ui.help import show_help
from bot.ui.jobs.listing import ListQuery, show_list
from bot.ui.kit.answers import answer, host_of, read_for_suggestions
from bot.ui.kit.layout import shortened
from bot.ui.panels.settings import Scope, open_panel
from bot.ui.reading.permissions import manages, member_context, roles_of, server_of
from bot.ui.reading.pictures import posted_results
from bot.ui.settings.credits import (
    CREDITS,
    PERIOD_CHOICES,
    SERVER_BUDGET,
    budget_value,
    credits_panel,
    gauge_of,
    grant as grant_credits,
    grant_panel,
    load_budget,
    member_panel,
    set_budget,
)
from bot.ui.settings.mine import MINE
from bot.ui.settings.moderation import MODERATION, show_block_form
from bot.ui.settings.photos import PHOTOS
from bot.ui.settings.results import RESULTS
from bot.ui.settings.setup import open_setup
from bot.ui.styles import show_style, show_styles, style_choices, style_meant, usable_styles

MAX_SUGGESTIONS = 25  # that Discord shows

Choices = list[app_commands.Choice[str]]
Command = app_commands.Command[Any, ..., Any]
# Makes a command of a function. The decorator's own type cannot be inferred for a function outside of a cog.
function_command: Any = app_commands.command


def choices(found: Iterable[tuple[str, str]]) -> Choices:
    """Return the first of these names and values as Discord shows them."""
    shown = islice(found, MAX_SUGGESTIONS)
    return [app_commands.Choice(name=shortened(name, 100) or "…", value=value) for name, value in shown]


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


_PERIODS = [app_commands.Choice(name=words, value=period.value) for period, words in PERIOD_CHOICES.items()]


@function_command(name="budget", description=N_("Show or set how many credits this server can spend"))
@app_commands.describe(
    credits_=N_("How many credits; leave out to see the current budget"),
    period=N_("How often it renews; a day, unless you choose"),
)
@app_commands.rename(credits_="credits")
@app_commands.choices(period=_PERIODS)
async def budget(
    interaction: discord.Interaction,
    credits_: app_commands.Range[int, 0, MAX_BUDGET] | None = None,
    period: str | None = None,
) -> None:
    given = {"limit": credits_, "period": None if period is None else Period(period).value}
    typed = {name: value for name, value in given.items() if value is not None}
    await open_panel(interaction, SERVER_BUDGET.name, partial(_set_budget, typed) if typed else None)


def _set_budget(typed: dict[str, Any], session: Any, scope: Scope) -> Any:
    """Set the budget. What was left out keeps its value."""
    return set_budget(session, scope, budget_value(load_budget(session, scope)) | typed)


@function_command(name="grant", description=N_("Show or add extra credits for this period"))
@app_commands.describe(
    credits_=N_("How many credits to add to this period; negative to take back"),
    member=N_("The member to grant them to; leave out for the server"),
)
@app_commands.rename(credits_="credits")
async def grant(
    interaction: discord.Interaction,
    credits_: app_commands.Range[int, -MAX_BUDGET, MAX_BUDGET] | None = None,
    member: discord.User | None = None,  # also one who has left
) -> None:
    guild_id, resources = server_of(interaction), host_of(interaction).resources
    now = resources.clock.now()
    if credits_ is not None:
        scope = Scope(guild_id, interaction.user.id, now, host_of(interaction).catalog)
        await resources.db.write(grant_credits, scope, None if member is None else member.id, credits_)
    if member is None:
        state, members = await resources.db.read(limits.grants, guild_id, now)
        await answer(interaction, grant_panel(state, members, granted_now=credits_ or 0))
        return
    here = isinstance(member, discord.Member)
    roles = roles_of(member) if here else frozenset[int]()
    theirs = await resources.db.read(limits.of_member, guild_id, member.id, roles, now)
    await answer(interaction, member_panel(member.id, theirs, granted_now=credits_ or 0, here=here))


# Of members


RECENT_JOBS = 5
# What was chosen from a list, or a name.
Chosen = app_commands.Range[str, 1, 100]


async def jobs(interaction: discord.Interaction) -> None:
    await show_list(interaction, ListQuery())


async def credits_left(interaction: discord.Interaction) -> None:
    """Show what is left, and what the member has used."""
    guild_id, user_id, host = server_of(interaction), interaction.user.id, host_of(interaction)
    db, roles = host.resources.db, member_context(interaction).roles
    member = await db.read(limits.of_member, guild_id, user_id, roles, host.clock.now())
    recent = await db.read(queries.page, guild_id, user_id, 0, RECENT_JOBS)
    posted = await posted_results(interaction.client, recent)
    files = await gauge_of(member.budget)
    await answer(interaction, credits_panel(member, recent, host.catalog, posted.deleted, files), files)


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
    group = app_commands.Group(
        name="studii",
        description=N_("Set up Studii in this server"),
        # Discord's own permission, which admins can change under Server Settings, Integrations.
        default_permissions=discord.Permissions(manage_guild=True),
    )
    for command in (
        panel_command(CREDITS.name, N_("The budget, allowances, and where the credits went")),
        panel_command(PHOTOS.name, N_("Emoji and channels that run tools on photos, and whose photos")),
        panel_command(RESULTS.name, N_("Where and how results appear in this server")),
        panel_command(MODERATION.name, N_("The word filter, approvals, blocked members, who can use what")),
        budget,
        grant,
        Command(name="setup", description=N_("Show the setup, and what's missing"), callback=open_setup),
    ):
        group.add_command(command)
    bot.tree.add_command(group)
    menu = app_commands.ContextMenu(name=BLOCK, callback=block)
    bot.tree.add_command(app_commands.default_permissions(manage_guild=True)(menu))
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
