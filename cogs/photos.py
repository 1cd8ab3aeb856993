"""Message menus: what can be made of a picture that is in the channel already."""

from typing import Any, cast

import discord
from discord import app_commands
from discord.ext import commands

from bot.catalog import SourceRule, Tool
from bot.client.bot import StudiiBot
from bot.domain import SourcePhoto
from bot.errors import Refused
from bot.ui.jobs.tool_form import Terms, ToolForms
from bot.ui.kit.responses import telling
from bot.ui.reading.attachments import ensure_taken, taken_of
from bot.ui.reading.authors import author_in
from bot.ui.reading.permissions import ensure_can_post
from bot.ui.reading.pictures import pictures_in

MENUS = 5  # that discord.py lets one application have on messages
NAME_LENGTH = 32  # characters
ALL_TOOLS = "Studii…"
NO_PICTURE = "There is no picture in that message. Choose one that has a photo, and try again."
WHICH_TOOL = "### What shall be made of it?"


class Photos(commands.Cog):
    """Keeps the menus in the tree: one for each of the first photo tools, and one for all tools."""

    def __init__(self, bot: StudiiBot, forms: ToolForms) -> None:
        self._bot = bot
        photo_tools = [tool for tool in bot.catalog.tools.values() if tool.source is SourceRule.REQUIRED]
        self._menus = [tool_menu(tool, forms) for tool in photo_tools[: MENUS - 1]]
        self._menus.append(all_tools_menu(forms))

    async def cog_load(self) -> None:
        for menu in self._menus:
            self._bot.tree.add_command(menu)

    async def cog_unload(self) -> None:
        for menu in self._menus:
            self._bot.tree.remove_command(menu.name, type=discord.AppCommandType.message)


def tool_menu(tool: Tool, forms: ToolForms) -> app_commands.ContextMenu:
    """The message menu that runs the tool on a message's picture."""

    async def run(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        async with telling(interaction):
            pictures = _pictures(interaction, message)
            await forms.begin(interaction, tool, pictures, await _terms(interaction, message))

    return app_commands.ContextMenu(name=tool.title[:NAME_LENGTH], callback=run)


def all_tools_menu(forms: ToolForms) -> app_commands.ContextMenu:
    """The message menu that lets the person choose a tool first."""

    async def run(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        async with telling(interaction):
            pictures = _pictures(interaction, message)
            terms = await _terms(interaction, message)
            await forms.choose(interaction, pictures, WHICH_TOOL, terms, others=True)

    return app_commands.ContextMenu(name=ALL_TOOLS, callback=run)


def _pictures(interaction: discord.Interaction[Any], message: discord.Message) -> list[SourcePhoto]:
    # Before a form is filled in for nothing.
    ensure_can_post(interaction)
    pictures = pictures_in(message)
    if not pictures:
        raise Refused(NO_PICTURE)
    taken = taken_of(pictures)
    return taken or [ensure_taken(pictures[0])]


async def _terms(interaction: discord.Interaction[Any], message: discord.Message) -> Terms:
    bot = cast(StudiiBot, interaction.client)
    of_a_member = bot.user is None or message.author.id != bot.user.id
    author = await author_in(message, bot, bot.services)
    return Terms(photo_author=author, message_id=message.id if of_a_member else None)


async def setup(bot: StudiiBot) -> None:
    await bot.add_cog(Photos(bot, bot.forms))
