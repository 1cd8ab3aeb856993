"""`/studii setup`: buttons that open the tools' forms, posted for everyone and to be pinned."""

import asyncio
import logging
from collections.abc import Sequence

import discord

from bot.catalog import Tool
from bot.errors import Refused, StudiiBotError
from bot.languages import lazy, speaking
from bot.servers import settings
from bot.ui.guide.available_tools import left_out_words
from bot.ui.guide.help import shows_help
from bot.ui.guide.tool_list import MAX_TOOL_CHARACTERS
from bot.ui.jobs.forms.tool_picker import MAX_TOOL_BUTTONS, tool_rows
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.kit.host import host_of
from bot.ui.kit.layout import GOOD, NEUTRAL, Panel, boxed, fitting, lines, row
from bot.ui.kit.responses import NO_MENTIONS, answer
from bot.ui.kit.text import named_value
from bot.ui.reading.permissions import hindrance, missing_to_post, server_of

_log = logging.getLogger(__name__)

POST_TIMEOUT = 30.0  # seconds
# It may be pinned for years, so it names no price and nothing that only some may do.
PANEL_TITLE = lazy("Make and edit pictures with Studii")
PANEL_TEXT = lazy(
    "Press a button: a form opens, with room for your photo. It shows the price, "
    "and nothing is charged before you send it."
)
POSTED = lazy(
    "[The panel]({address}) is posted. To pin it, right-click it (on a phone: long press), then **Pin "
    "Message**. Its buttons keep working until you delete it."
)
CANNOT = lazy("I can't post the panel here: {reason}. Nothing was posted.")
FAILED = lazy("Discord didn't accept the panel. Check whether it was posted before you try again.")


def public_panel(tools: Sequence[Tool]) -> Panel:
    """Return the panel. Its buttons open the forms for the people who press them."""
    said = [f"{tool.emoji} {named_value(f'**{tool.title}**', tool.summary)}" for tool in tools]
    return boxed(
        NEUTRAL,
        f"### 🎨 {PANEL_TITLE}\n{PANEL_TEXT}",
        lines(*fitting(said, MAX_TOOL_CHARACTERS, left_out_words)),
        *tool_rows(tools[:MAX_TOOL_BUTTONS]),
        row(shows_help.of()),
    )


async def post_panel(interaction: discord.Interaction) -> None:
    """Post the panel in the channel, and tell the admin alone how to pin it.

    Raises `Refused` if it can't be posted there, or if results couldn't.
    """
    guild_id = server_of(interaction)
    missing = missing_to_post(interaction.app_permissions, interaction.channel)
    if missing:
        raise Refused(CANNOT.using(reason=hindrance(missing)))
    address = await _post(interaction, guild_id)
    await answer(interaction, boxed(GOOD, POSTED.using(address=address)))


async def _post(interaction: discord.Interaction, guild_id: int) -> str:
    """Post the panel, and return its address. Raises `Refused` if Discord didn't accept it."""
    channel = interaction.client.get_partial_messageable(interaction.channel_id or 0, guild_id=guild_id)
    host = host_of(interaction)
    with speaking(await host.readers.in_server(guild_id)):
        panel = public_panel(list(host.catalog.tools.values()))
    try:
        async with asyncio.timeout(POST_TIMEOUT):
            message = await channel.send(view=panel, allowed_mentions=NO_MENTIONS, silent=True)
    except DISCORD_ERRORS as error:
        _log.info("A panel could not be posted in channel %s: %r", interaction.channel_id, error)
        raise Refused(FAILED) from error
    try:
        await host.services.db.write(settings.change, guild_id, panel_posted_at=host.clock.now())
    except StudiiBotError as error:
        _log.warning("Server %d: its new panel could not be stored: %s", guild_id, error)
    return message.jump_url
