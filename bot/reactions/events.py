"""Facts from Discord's events and about its channels that jobs depend on."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.features.photo_rules import Emoji
from bot.jobs.models import SourcePhoto
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


Cleared = discord.RawReactionClearEvent | discord.RawReactionClearEmojiEvent  # of all emoji, or of one
WRITTEN_BY_PEOPLE = frozenset({discord.MessageType.default, discord.MessageType.reply})


def emoji_of(emoji: discord.PartialEmoji | discord.Emoji | str) -> Emoji:
    """Return the emoji as a value of the domain."""
    if isinstance(emoji, str):
        return Emoji(emoji)
    return Emoji(emoji.name or "", emoji.id or 0, emoji.animated)


def ids_of_place(channel: Any | None, channel_id: int) -> tuple[int, ...]:
    """Return the ids that rules may use for the place: its own, and a thread's parent channel."""
    if isinstance(channel, discord.Thread):
        return (channel_id, channel.parent_id)
    return (channel_id,)


def by_a_person(message: discord.Message) -> bool:
    """Return whether a member wrote the message, and no bot, webhook or Discord itself."""
    author = message.author
    return not author.bot and message.webhook_id is None and message.type in WRITTEN_BY_PEOPLE


def once_key(user_id: int, message_id: int, tool: str, inputs: Mapping[str, str], photo: SourcePhoto) -> str:
    """Return the `once` key of a member, a tool with inputs, and a photo in a message.

    It ignores the photo's position and signature, which change with edits and requests.
    """
    preset, path = _short(json.dumps(inputs, sort_keys=True)), _short(urlsplit(photo.url).path)
    return f"{user_id}:{message_id}:{tool}:{preset}:{path}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
