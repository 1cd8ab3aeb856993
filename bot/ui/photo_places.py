"""Where photos are to be served, and what the bot lacks there."""

from collections.abc import Iterator
from typing import Any

import discord

from bot.photo_rules import PhotoChannelKind, PhotoRules
from bot.ui.layout import lines
from bot.ui.permissions import hindrance, missing_to_offer, missing_to_post

MOST_SHOWN = 5


def lacking_words(guild: discord.Guild | None, rules: PhotoRules) -> str:
    """A line for each channel in which nothing happens for what the bot lacks; empty if all is well."""
    if guild is None:
        return ""
    found = [_line(channel_id, missing) for channel_id, missing in _lacking(guild, rules) if missing]
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
