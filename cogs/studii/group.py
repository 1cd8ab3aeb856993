"""`/studii`: the one group of admins' commands.

This module owns the group. Every other extension adds its commands in its `setup`, with `add_to_studii`. The
order in which extensions are loaded does not matter: the first one that asks for the group makes it.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import discord
from discord import app_commands

from bot.client.bot import StudiiBot
from bot.client.translation import BoundedGroup
from bot.languages import N_
from bot.ui.kit.text import shortened

NAME = "studii"
MAX_SUGGESTIONS = 25  # that Discord shows

Choices = list[app_commands.Choice[str]]
Command = app_commands.Command[Any, ..., Any]
# Makes a command of a function. The decorator's own type cannot be inferred for a function outside of a cog.
function_command: Any = app_commands.command


def add_to_studii(bot: StudiiBot, *commands: Command | app_commands.Group) -> None:
    """Add commands or groups to `/studii`. Raises `ValueError` if one of their names is taken."""
    group = _group(bot)
    for command in commands:
        if group.get_command(command.name) is not None:
            raise ValueError(f"/{NAME} has a command {command.name!r} already: two extensions add it")
        group.add_command(command)


def choices(found: Iterable[tuple[str, str]]) -> Choices:
    """Return the first of these names and values as Discord shows them."""
    shown = islice(found, MAX_SUGGESTIONS)
    return [app_commands.Choice(name=shortened(name, 100) or "…", value=value) for name, value in shown]


async def setup(bot: StudiiBot) -> None:
    _group(bot)


def _group(bot: StudiiBot) -> app_commands.Group:
    """Return the group; make it if this is the first extension that asks for it."""
    group = bot.tree.get_command(NAME)
    if group is None:
        # Discord's own permission, which admins can change under Server Settings, Integrations.
        group = BoundedGroup(
            name=NAME,
            description=N_("Set up Studii in this server"),
            default_permissions=discord.Permissions(manage_guild=True),
        )
        bot.tree.add_command(group)
    if not isinstance(group, app_commands.Group):
        raise TypeError(f"/{NAME} must be a group, but another extension has added it as a command")
    return group
