"""Find the style that a person means, and what of it, and of what they prefer, goes into a job."""

from collections.abc import Sequence

import discord

from bot.catalog import Tool
from bot.errors import Refused
from bot.features import styles
from bot.features.styles import UNKNOWN, Style, inputs_of, style_key, tool_of
from bot.languages import plazy
from bot.ui.jobs.choosing import STYLE_EMOJI
from bot.ui.jobs.forms import Values
from bot.ui.kit.answers import host_of
from bot.ui.kit.layout import shortened
from bot.ui.reading.permissions import member_context, server_of

STYLE = "style"  # the option of a tool's command; a tool may have an input of that name
SAVED = "saved:"  # the beginning of the value of a choice, before the style's id
THIS_SERVERS = plazy("choice", "this server's")  # whose style it is
MAX_SHOWN_NAME_CHARACTERS = 40


async def usable_styles(interaction: discord.Interaction, *, manages: bool = False) -> list[Style]:
    """Return the person's own styles, then the server's that they may use, or all with `manages`."""
    guild_id, roles = server_of(interaction), member_context(interaction).roles
    db = host_of(interaction).services.db
    return await db.read(styles.usable, guild_id, interaction.user.id, roles, manages=manages)


async def values_with(
    interaction: discord.Interaction, tool: Tool, given: Values, style: str | None
) -> dict[str, str]:
    """Return the inputs of a job: those given, else of the style that was chosen or named.

    Raises `Refused` if there is no such style, or it can't be used.

    Where the tool has an input of that name, `style` may also be its value.
    """
    chosen = await _chosen(interaction, tool, style) if style else None
    named = {name: value for name, value in given.items() if value is not None}
    if chosen is not None:
        tool_of(host_of(interaction).catalog, chosen, tool)
        named = inputs_of(chosen, tool, named)
    elif style and tool.input(STYLE) is not None:
        named[STYLE] = style
    return named


async def style_meant(
    interaction: discord.Interaction, typed: str, tool: str | None = None, *, manages: bool = False
) -> Style:
    """Return the style that was chosen from a list, or whose name was typed. Raises `Refused`.

    `tool`: where two have that name, the one for this tool. `manages`: to be shown to who manages it.
    """
    found = await _found(interaction, typed, tool, manages=manages)
    if found is None:
        raise Refused(UNKNOWN.using(name=shortened(typed, MAX_SHOWN_NAME_CHARACTERS)))
    return found


def style_choices(styles: Sequence[Style], typed: str) -> list[tuple[str, str]]:
    """Return the name and the value of each style whose name has what was typed in it."""
    key = style_key(_bare(typed))
    whose = {True: f" · {THIS_SERVERS}", False: ""}
    return [
        (f"{STYLE_EMOJI} {one.name}{whose[one.of_server]}", f"{SAVED}{one.id}")
        for one in styles
        if key in style_key(one.name)
    ]


async def _chosen(interaction: discord.Interaction, tool: Tool, typed: str) -> Style | None:
    """Return the style, or None if what was typed is a value of the tool's own input."""
    own = tool.input(STYLE)
    if own is None:
        return await style_meant(interaction, typed, tool.slug)
    if own.meant(typed) in own.suggestions:
        return None
    found = await _found(interaction, typed, tool.slug)
    # What was typed may also be the name of a style for another tool.
    return found if found is None or typed.startswith(SAVED) or found.tool == tool.slug else None


async def _found(
    interaction: discord.Interaction, typed: str, tool: str | None, *, manages: bool = False
) -> Style | None:
    db = host_of(interaction).services.db
    guild_id, user_id = server_of(interaction), interaction.user.id
    roles = member_context(interaction).roles
    if typed.startswith(SAVED):
        found = typed.removeprefix(SAVED)
        return await db.read(styles.get, found, guild_id, user_id, roles, manages=manages)
    return await db.read(styles.named, guild_id, user_id, roles, _bare(typed), tool, manages=manages)


def _bare(typed: str) -> str:
    """Return the name of what may have been copied from a list, or is left of a choice that was edited."""
    return typed.removeprefix(STYLE_EMOJI).removesuffix(f" · {THIS_SERVERS}").strip()
