"""Check what the bot may do in a channel: post results, and put emoji under photos."""

import discord

from bot.languages import gettext as _
from bot.ui.reading.permissions import channel_in, hindrance, missing_to_offer, missing_to_post


def cannot_post_words(guild: discord.Guild, channel_id: int) -> str:
    """Return why no result can be posted there."""
    channel = channel_in(guild, channel_id)
    missing = [] if channel is None else missing_to_post(channel.permissions_for(guild.me), channel)
    there = f"<#{channel_id}>"
    if not missing:
        return _(
            "I couldn't post a result in {channel}: I can't see that channel. Nothing was charged.",
            channel=there,
        )
    return _(
        "I couldn't post a result in {channel}: {why}. Nothing was charged.",
        channel=there,
        why=hindrance(missing),
    )


def can_post(guild: discord.Guild, channel_id: int, *, offer: bool = False) -> bool:
    """Return whether a result can be posted there, and with `offer`, emoji added to photos."""
    channel = channel_in(guild, channel_id)
    if channel is None:
        return False
    may = channel.permissions_for(guild.me)
    return not (missing_to_post(may, channel) or (offer and missing_to_offer(may)))
