"""`/studii styles add`: a new style for a server, or a further role for one."""

from collections.abc import Mapping
from dataclasses import dataclass

import discord

from bot.catalog import Tool
from bot.errors import Refused
from bot.features.styles import save, set_role
from bot.languages import and_list, gettext as _, lazy
from bot.ui.kit.host import host_of
from bot.ui.kit.text import plain
from bot.ui.reading.permissions import server_of
from bot.ui.styles.panel import quoted


@dataclass(frozen=True, slots=True)
class Wanted:
    """An admin's request. Without a tool: that a role can use the style that there is."""

    name: str
    tool: str | None
    prompt: str | None
    inputs: Mapping[str, str]
    role_id: int | None


async def add_to_server(interaction: discord.Interaction, wanted: Wanted) -> str:
    """Add the style, or let the role use it. Return what was done. Raises `Refused`."""
    guild_id, host = server_of(interaction), host_of(interaction)
    if wanted.role_id == guild_id:
        raise Refused(
            lazy("Everyone already has that role. Leave out `role`, so that everyone can use the style.")
        )
    if wanted.tool is None:
        if wanted.role_id is None or wanted.prompt is not None or wanted.inputs:
            raise Refused(
                lazy(
                    "A new style needs a `tool`. `/studii styles show` lists the server's styles. "
                    "Nothing was saved."
                )
            )
        setting = host.services.db.write(set_role, guild_id, wanted.name, wanted.role_id, may=True)
        style = await setting
        return _("{style} is for {role} now.", style=quoted(style), role=f"<@&{wanted.role_id}>")
    tool = host.catalog.get(wanted.tool)
    style = await host.services.db.write(
        save,
        guild_id,
        interaction.user.id,
        wanted.name,
        tool,
        _inputs(tool, wanted),
        host.clock.now(),
        for_server=True,
        role_id=wanted.role_id,
    )
    if wanted.role_id is None:
        return _("{style} is added, for everyone.", style=quoted(style))
    return _("{style} is added, for {role}.", style=quoted(style), role=f"<@&{wanted.role_id}>")


def _inputs(tool: Tool, wanted: Wanted) -> dict[str, str]:
    names = [one.name for one in tool.inputs]
    unknown = next((name for name in wanted.inputs if name not in names), None)
    if unknown is not None:
        if not names:
            raise Refused(lazy("{tool} has no inputs to set. Nothing was saved.", tool=tool.title))
        listed = and_list([f"`{name}`" for name in names])
        raise Refused(
            lazy(
                "{tool} has no input “{input}”. Its inputs are {names}. Nothing was saved.",
                tool=tool.title,
                input=plain(unknown, 40),
                names=listed,
            )
        )
    prompt = tool.prompt
    inputs = dict(wanted.inputs)
    if wanted.prompt is not None:
        if prompt is None:
            raise Refused(
                lazy(
                    "{tool} takes no prompt. Set its inputs under `inputs`. Nothing was saved.",
                    tool=tool.title,
                )
            )
        if prompt.name in inputs:
            raise Refused(lazy("Write the prompt under `prompt`, not under `inputs`. Nothing was saved."))
        inputs[prompt.name] = wanted.prompt
    if not inputs:
        raise Refused(lazy("A style needs a `prompt` or `inputs`. Nothing was saved."))
    return inputs
