"""Message menus: tools for a picture that is in the channel already."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Protocol

import discord
from discord import app_commands

from bot.catalog import SourceRule, Tool
from bot.client.bot import StudiiBot
from bot.client.commands import MAX_MENU_NAME_CHARACTERS, localised
from bot.errors import Refused
from bot.jobs.models import SourcePhoto
from bot.languages import gettext as _, lazy
from bot.ui.jobs.choosing import begin, choose
from bot.ui.jobs.start import Terms
from bot.ui.kit.answers import read_before_form
from bot.ui.kit.host import host_of, in_order
from bot.ui.reading.permissions import ensure_can_post
from bot.ui.reading.photo_lookup import author_in, is_beside
from bot.ui.reading.pictures import ensure_taken, pictures_in, taken_of

ALL_TOOLS = "Studii…"  # Untranslated: the bot's name


class MenuTree(Protocol):
    """The part of discord.py's tree of commands that takes menus."""

    def add_command(self, command: app_commands.ContextMenu, /) -> None:
        """Add the menu. Raises `CommandLimitReached` if there is no room."""
        ...


def add_menus(
    tree: MenuTree, always: app_commands.ContextMenu, others: Iterable[app_commands.ContextMenu]
) -> None:
    """Add the menu that is always there, and as many of the others as fit.

    How many menus discord.py and Discord let an application have changes, so it is tried.
    """
    tree.add_command(always)
    with suppress(app_commands.CommandLimitReached):
        for menu in others:
            tree.add_command(menu)


def tool_menu(tool: Tool) -> app_commands.ContextMenu:
    """Return the message menu that runs the tool on a message's picture."""

    async def run(interaction: discord.Interaction, message: discord.Message) -> None:
        with in_order(interaction):
            pictures = _pictures(interaction, message)
            terms = await read_before_form(interaction, _terms(interaction, message))
            await begin(interaction, tool, pictures, terms)

    name = localised(lambda: tool.title, MAX_MENU_NAME_CHARACTERS)
    return app_commands.ContextMenu(name=name, callback=run)


def all_tools_menu() -> app_commands.ContextMenu:
    """Return the message menu that lets the person choose a tool first."""

    async def run(interaction: discord.Interaction, message: discord.Message) -> None:
        pictures = _pictures(interaction, message)
        terms = await _terms(interaction, message)
        which = _("What would you like to make?")
        await choose(interaction, pictures, f"### {which}", terms, others=True)

    return app_commands.ContextMenu(name=ALL_TOOLS, callback=run)


def _pictures(interaction: discord.Interaction, message: discord.Message) -> list[SourcePhoto]:
    # Before the person fills in a form in vain.
    ensure_can_post(interaction)
    pictures, host = pictures_in(message), host_of(interaction)
    if host.user is not None and message.author.id == host.user.id:  # what stands beside a result is none
        pictures = [one for one in pictures if not is_beside(one)] or pictures
    if not pictures:
        raise Refused(lazy("That message has no picture. Choose a message with a photo and try again."))
    taken = taken_of(pictures)
    return taken or [ensure_taken(pictures[0])]


async def _terms(interaction: discord.Interaction, message: discord.Message) -> Terms:
    host = host_of(interaction)
    return Terms(photo_author=await author_in(message, interaction.client, host.services))


async def setup(bot: StudiiBot) -> None:
    """Add the menus: one for each tool that takes a photo while there is room, and one for all tools."""
    # Those that need a photo first.
    tools = sorted(bot.catalog.tools.values(), key=lambda tool: tool.source is SourceRule.OPTIONAL)
    menus = [tool_menu(tool) for tool in tools if tool.source is not SourceRule.NONE]
    add_menus(bot.tree, all_tools_menu(), menus)
