"""What runs on a photo: the tool and the inputs of an emoji or a photo channel, and of the member."""

import discord

from bot.catalog import Catalog, Tool
from bot.domain.photo_rules import Preset
from bot.services import Services
from bot.services.styles import tool_of
from bot.ui.reading.member import roles_of


async def prepared(
    services: Services, catalog: Catalog, member: discord.Member, preset: Preset, *, tapped: bool
) -> tuple[Tool, dict[str, str], dict[str, str]]:
    """Return the tool, the inputs to send, and those of them that the member prefers.

    What an emoji is mapped to is what the member asks for by tapping it; in a photo channel what they prefer
    goes before what the channel is set to. Raises `Refused` if the tool needs more by now, or if the emoji's
    style is gone, no longer fits, or isn't for the member.
    """
    if preset.style_id is not None:
        style = await services.styles.get(preset.style_id, member.guild.id, member.id, roles_of(member))
        tool_of(catalog, style)
    tool = catalog.get(preset.tool)
    own = await services.defaults.of(member.guild.id, member.id, tool)
    inputs = {**own, **preset.inputs} if tapped else {**preset.inputs, **own}
    preferred = {name: value for name, value in own.items() if not tapped or name not in preset.inputs}
    return tool, tool.prepare(inputs, has_source=True), preferred
