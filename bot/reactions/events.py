"""What Discord told us, as far as jobs depend on it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import discord

from bot.domain import SourcePhoto
from bot.domain.photo_rules import Emoji

WRITTEN_BY_PEOPLE = frozenset({discord.MessageType.default, discord.MessageType.reply})


@dataclass(frozen=True, slots=True)
class Tapped:
    """Somebody put an emoji under a message, or took it away."""

    guild_id: int
    channel_id: int
    message_id: int
    user_id: int
    emoji: Emoji
    member: discord.Member | None = None


def emoji_of(partial: discord.PartialEmoji) -> Emoji:
    """Discord's emoji as we speak of it."""
    return Emoji(partial.name or "", partial.id or 0, partial.animated)


def place_of(client: discord.Client, guild_id: int, channel_id: int) -> Any | None:
    """The channel or thread, if the gateway told us of it."""
    guild = client.get_guild(guild_id)
    return guild.get_channel_or_thread(channel_id) if guild else None


def ids_of_place(channel: Any | None, channel_id: int) -> tuple[int, ...]:
    """The ids by which rules may name the place: its own, and for a thread its channel's."""
    if isinstance(channel, discord.Thread):
        return (channel_id, channel.parent_id)
    return (channel_id,)


def by_a_person(message: discord.Message) -> bool:
    """Whether a member wrote it: no bot, no webhook, and not Discord itself."""
    author = message.author
    return not author.bot and message.webhook_id is None and message.type in WRITTEN_BY_PEOPLE


def once_key(user_id: int, message_id: int, tool: str, inputs: Mapping[str, str], photo: SourcePhoto) -> str:
    """Names the job of a person, a tool with these inputs, and a photo of a message.

    An edit of the message may move the photo in it, and each look at it sign its address anew.
    """
    preset, path = _short(json.dumps(inputs, sort_keys=True)), _short(urlsplit(photo.url).path)
    return f"{user_id}:{message_id}:{tool}:{preset}:{path}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
