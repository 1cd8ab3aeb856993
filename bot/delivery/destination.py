"""Where a job's last word goes: its channel, its person alone, or their direct messages."""

from dataclasses import dataclass
from typing import Any

import discord

from bot.ui.reading.permissions import parent_unknown


@dataclass(frozen=True, slots=True)
class Place:
    """A message there is sent by `send`; `answer`: in place of a card that its person alone can see;
    `by_dm`: in direct messages, where nothing new can be made."""

    channel: discord.abc.Messageable | None = None
    reference: discord.MessageReference | None = None
    answer: discord.Webhook | None = None
    card: int = 0
    by_dm: bool = False

    async def send(self, nonce: str, mentions: discord.AllowedMentions, **parts: Any) -> int:
        """Send a message and return its id. Raises what Discord's calls raise."""
        if self.answer is not None:
            # An edit can be repeated and is seen once. A further answer can not: Discord takes a nonce for
            # messages in channels alone, and does not list what one person alone sees.
            files = parts.pop("files", [])
            shown = await self.answer.edit_message(
                self.card, attachments=files, allowed_mentions=mentions, **parts
            )
            return shown.id
        if self.channel is None:
            raise ValueError("a place needs a channel or an answer")
        if self.reference is not None:
            parts["reference"] = self.reference
        message = await self.channel.send(nonce=nonce, allowed_mentions=mentions, **parts)
        return message.id


def known_channel(
    client: discord.Client, guild_id: int, channel_id: int
) -> tuple[discord.Member, discord.abc.GuildChannel | discord.Thread] | None:
    """Return the bot as a member, and the channel.

    None if it is unknown what the bot may do there: then Discord refuses the message itself.
    """
    guild = client.get_guild(guild_id)
    channel = guild.get_channel_or_thread(channel_id) if guild is not None else None
    me = guild.get_member(client.user.id) if guild is not None and client.user is not None else None
    return None if me is None or channel is None or parent_unknown(channel) else (me, channel)
