"""Message menus: tools for a picture that is in the channel already."""

from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import SourceRule, Tool
from bot.client.bot import StudiiBot
from bot.domain import SourcePhoto
from bot.errors import Refused
from bot.ui.jobs.start import Terms, begin
from bot.ui.jobs.tool_picker import choose
from bot.ui.kit.host import host_of
from bot.ui.reading.authors import author_in
from bot.ui.reading.permissions import ensure_can_post
from bot.ui.reading.pictures import ensure_taken, pictures_in, taken_of

MENUS = 5  # that discord.py lets one application have on messages
NAME_LENGTH = 32  # characters
ALL_TOOLS = "Studii…"
NO_PICTURE = "That message has no picture. Choose a message with a photo and try again."
WHICH_TOOL = "### What would you like to make?"


class Photos(commands.Cog):
    """Adds the menus: one for each of the first photo tools, and one for all tools."""

    def __init__(self, bot: StudiiBot) -> None:
        self._bot = bot
        photo_tools = [tool for tool in bot.catalog.tools.values() if tool.source is SourceRule.REQUIRED]
        self._menus = [tool_menu(tool) for tool in photo_tools[: MENUS - 1]]
        self._menus.append(all_tools_menu())

    async def cog_load(self) -> None:
        for menu in self._menus:
            self._bot.tree.add_command(menu)

    async def cog_unload(self) -> None:
        for menu in self._menus:
            self._bot.tree.remove_command(menu.name, type=discord.AppCommandType.message)


def tool_menu(tool: Tool) -> app_commands.ContextMenu:
    """Return the message menu that runs the tool on a message's picture."""

    async def run(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        pictures = _pictures(interaction, message)
        await begin(interaction, tool, pictures, await _terms(interaction, message))

    return app_commands.ContextMenu(name=tool.title[:NAME_LENGTH], callback=run)


def all_tools_menu() -> app_commands.ContextMenu:
    """Return the message menu that lets the person choose a tool first."""

    async def run(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        pictures = _pictures(interaction, message)
        terms = await _terms(interaction, message)
        await choose(interaction, pictures, WHICH_TOOL, terms, others=True)

    return app_commands.ContextMenu(name=ALL_TOOLS, callback=run)


def _pictures(interaction: discord.Interaction[Any], message: discord.Message) -> list[SourcePhoto]:
    # Before the person fills in a form in vain.
    ensure_can_post(interaction)
    pictures = pictures_in(message)
    if not pictures:
        raise Refused(NO_PICTURE)
    taken = taken_of(pictures)
    return taken or [ensure_taken(pictures[0])]


async def _terms(interaction: discord.Interaction[Any], message: discord.Message) -> Terms:
    host = host_of(interaction)
    of_a_member = host.user is None or message.author.id != host.user.id
    author = await author_in(message, interaction.client, host.services)
    return Terms(photo_author=author, message_id=message.id if of_a_member else None)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Photos(bot))
