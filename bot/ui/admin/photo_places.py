"""Where photos are to be served, and what is in the way there."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord

from bot.domain.access import AccessRules, open_in
from bot.domain.photo_rules import PhotoChannel, PhotoChannelKind, PhotoRules
from bot.services import Tap
from bot.ui.jobs.wording import ToolNames
from bot.ui.kit.layout import lines
from bot.ui.reading.member import places_of
from bot.ui.reading.permissions import hindrance, missing_to_offer, missing_to_post

MOST_SHOWN = 5


def lacking_words(guild: discord.Guild | None, rules: PhotoRules) -> str:
    """A line for each channel in which nothing happens for what the bot lacks; empty if all is well."""
    if guild is None:
        return ""
    return _some([_line(channel_id, missing) for channel_id, missing in _lacking(guild, rules) if missing])


def shut_words(
    guild: discord.Guild | None,
    rules: PhotoRules,
    taps: Sequence[Tap],
    access: AccessRules,
    names: ToolNames,
) -> str:
    """A line for each photo channel whose tools the server's own rules of access shut out there."""
    if guild is None:
        return ""
    found: list[str] = []
    for channel in rules.channels.values():
        places = places_of(guild.get_channel_or_thread(channel.channel_id))
        shut = [tool for tool in _tools_of(channel, taps) if places and not open_in(access, tool, places)]
        if shut:
            found.append(_shut(channel, ", ".join(f"**{names.title_of(tool)}**" for tool in shut)))
    return _some(found)


def still_on(rules: PhotoRules, channel: object) -> str:
    """Why taps count in a channel or thread though they are turned off for it; empty if they don't."""
    if rules.everywhere:
        return "⚠️ They are on in the whole server, so there too. Leave out `channel` to end that."
    if isinstance(channel, discord.Thread) and channel.parent_id in rules.places:
        return f"⚠️ They are on in <#{channel.parent_id}>, so in its threads too. Turn them off there."
    return ""


def still_served(rules: PhotoRules, channel: object) -> str:
    """Why photos are served in a thread though nothing is set for it; empty if they aren't."""
    if isinstance(channel, discord.Thread) and channel.parent_id in rules.channels:
        parent = channel.parent_id
        return (
            f"⚠️ <#{parent}> is a photo channel, so its threads are too. `/studii photos off` there ends it."
        )
    return ""


def _tools_of(channel: PhotoChannel, taps: Sequence[Tap]) -> list[str]:
    presets = [tap.preset for tap in taps] if channel.preset is None else [channel.preset]
    return list(dict.fromkeys(preset.tool for preset in presets))


def _shut(channel: PhotoChannel, tools: str) -> str:
    if channel.kind is PhotoChannelKind.AUTO:
        return f"⚠️ In <#{channel.channel_id}> nothing will happen: `/studii access` shuts {tools} out there."
    return f"⚠️ In <#{channel.channel_id}> `/studii access` shuts out, so I don't offer: {tools}"


def _some(found: list[str]) -> str:
    more = f"⚠️ So it is in {len(found) - MOST_SHOWN} more." if len(found) > MOST_SHOWN else ""
    return lines(*found[:MOST_SHOWN], more)


def _line(channel_id: int, missing: list[str]) -> str:
    return f"⚠️ In <#{channel_id}> nothing will happen, for {hindrance(missing)}"


def _lacking(guild: discord.Guild, rules: PhotoRules) -> Iterator[tuple[int, list[str]]]:
    named = {*rules.channels, *rules.places}
    for channel_id in sorted(named):
        channel = guild.get_channel_or_thread(channel_id)
        if channel is None or (isinstance(channel, discord.Thread) and channel.parent is None):
            continue  # deleted, or a thread that rests: nobody posts there now
        offers = channel_id in rules.channels and rules.channels[channel_id].kind is PhotoChannelKind.OFFER
        yield channel_id, _missing(guild, channel, offers=offers)
    if rules.everywhere:
        for channel in _with_messages(guild):
            # What the bot may not even see is not meant for it.
            if channel.id not in named and channel.permissions_for(guild.me).view_channel:
                yield channel.id, _missing(guild, channel, offers=False)


def _with_messages(guild: discord.Guild) -> Iterator[discord.abc.GuildChannel]:
    yield from guild.text_channels
    yield from guild.forums
    yield from guild.voice_channels
    yield from guild.stage_channels


def _missing(guild: discord.Guild, channel: Any, *, offers: bool) -> list[str]:
    may = channel.permissions_for(guild.me)
    return [*missing_to_post(may, channel), *(missing_to_offer(may) if offers else ())]
