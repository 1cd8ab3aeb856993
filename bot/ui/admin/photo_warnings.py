"""Say what keeps reactions and photo channels from working, or from being off, in a line for each channel."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot.catalog import Catalog
from bot.features.photo_rules import PhotoChannel, PhotoChannelKind, PhotoRules, Preset, Tap
from bot.languages import and_list, gettext as _, lazy, ngettext
from bot.servers.access import AccessRules, open_in
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import lines, plain
from bot.ui.reading.permissions import (
    channel_ids_of,
    channel_in,
    hindrance,
    missing_to_offer,
    missing_to_post,
)

INTENT_OFF = lazy(
    "Reactions and photo channels are off, because Discord doesn't show me other people's "
    "photos. The bot's operator can turn on **Message Content Intent** "
    "(discord.com/developers/applications, Bot, Privileged Gateway Intents), set "
    "`MESSAGE_CONTENT` to `auto`, and restart the bot. Everything else works without it."
)
MAX_WARNINGS = 5
_NOT_RUN = lazy("Nothing will run in {channel}: `/studii moderation` doesn't allow {tools} there.")
_NOT_OFFERED = lazy("I can't offer these tools in {channel}, because of `/studii moderation`: {tools}")


def lacking_words(guild: discord.Guild | None, rules: PhotoRules) -> str:
    """Return a line for each channel in which the bot lacks permissions; empty if there is none."""
    if guild is None:
        return ""
    said = [
        "⚠️ " + _("Nothing will run in {channel}: {why}", channel=f"<#{channel_id}>", why=hindrance(missing))
        for channel_id, missing in _lacking(guild, rules)
        if missing
    ]
    return _some(said)


def shut_words(
    guild: discord.Guild | None,
    rules: PhotoRules,
    taps: Sequence[Tap],
    allowed: AccessRules,
    names: ToolNames,
) -> str:
    """Return a line for each photo channel whose tools the server's rules of access exclude."""
    if guild is None:
        return ""
    found: list[str] = []
    for channel in rules.channels.values():
        channels = channel_ids_of(guild.get_channel_or_thread(channel.channel_id))
        shut = [
            tool for tool in _tools_of(channel, taps) if channels and not open_in(allowed, tool, channels)
        ]
        if shut:
            found.append(_shut(channel, and_list([f"**{names.title(tool)}**" for tool in shut])))
    return _some(found)


def preset_words(preset: Preset, catalog: Catalog) -> str:
    """Return the preset's tool, and its inputs if it has any."""
    tool = catalog.tools.get(preset.tool)
    title = tool.title if tool else plain(preset.tool, 40)
    named = [tool.named_value(*one) if tool else one for one in preset.inputs.items()]
    inputs = " · ".join(f"{name} {plain(value, 40)}" for name, value in named)
    return f"**{title}**" + (f" ({inputs})" if inputs else "")


def _tools_of(channel: PhotoChannel, taps: Sequence[Tap]) -> list[str]:
    presets = [tap.preset for tap in taps] if channel.preset is None else [channel.preset]
    return list(dict.fromkeys(preset.tool for preset in presets))


def _shut(channel: PhotoChannel, tools: str) -> str:
    said = _NOT_RUN if channel.kind is PhotoChannelKind.AUTO else _NOT_OFFERED
    return f"⚠️ {said.using(channel=f'<#{channel.channel_id}>', tools=tools)}"


def _some(found: list[str]) -> str:
    left = len(found) - MAX_WARNINGS
    # Translators: more channels
    more = ngettext("The same applies to {count} more.", "The same applies to {count} more.", left)
    return lines(*found[:MAX_WARNINGS], f"⚠️ {more}" if left > 0 else "")


def _lacking(guild: discord.Guild, rules: PhotoRules) -> Iterator[tuple[int, list[str]]]:
    named = {*rules.channels, *rules.reaction_channels}
    for channel_id in sorted(named):
        channel = channel_in(guild, channel_id)
        if channel is None:
            continue  # deleted, or an archived thread: nobody posts there now
        offers = channel_id in rules.channels and rules.channels[channel_id].kind is PhotoChannelKind.OFFER
        yield channel_id, _missing(guild, channel, offers=offers)
    if rules.everywhere:
        for channel in (*guild.text_channels, *guild.forums, *guild.voice_channels, *guild.stage_channels):
            # A channel that the bot can't even see is not meant for it.
            if channel.id not in named and channel.permissions_for(guild.me).view_channel:
                yield channel.id, _missing(guild, channel, offers=False)


def _missing(guild: discord.Guild, channel: Any, *, offers: bool) -> list[str]:
    may = channel.permissions_for(guild.me)
    return [*missing_to_post(may, channel), *(missing_to_offer(may) if offers else ())]
