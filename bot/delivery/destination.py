"""Send a job's last word to its channel, its person alone, or their direct messages."""

from dataclasses import dataclass
from typing import Any

import discord

from bot.jobs.models import Job
from bot.ui.reading.permissions import channel_in, missing_to_post


@dataclass(frozen=True, slots=True)
class Target:
    """A channel of the job's server in which its last word can be posted.

    `channel_id` is None for the job's own. `reply_to` is a message in it. `keeps_card`: the job's card stays
    beside the posting.
    """

    channel_id: int | None = None
    reply_to: int | None = None
    keeps_card: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A place to which `send` sends a message. With `answer`, it replaces the card that only its requester
    can see. With `by_dm`, it goes to direct messages, where no new job can be started."""

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
    channel = channel_in(guild, channel_id)
    me = guild.get_member(client.user.id) if guild is not None and client.user is not None else None
    return None if me is None or channel is None else (me, channel)


def channel_of(client: discord.Client, job: Job, channel_id: int | None = None) -> discord.PartialMessageable:
    """Return a channel of the job's server, by default the job's own.

    By its id alone: an archived thread, or any channel before the gateway is ready, is in no cache.
    """
    return client.get_partial_messageable(channel_id or job.channel_id, guild_id=job.guild_id)


def missing_there(
    client: discord.Client, job: Job, channel_id: int | None = None, *, file: bool
) -> list[str]:
    """Return the permissions that the bot lacks to post there; none if that is unknown."""
    known = known_channel(client, job.guild_id, channel_id or job.channel_id)
    if known is None:
        return []
    me, channel = known
    return missing_to_post(channel.permissions_for(me), channel, file=file)


def photo_message_of(job: Job) -> int | None:
    """Return the message with the job's photo, if it is in the job's channel."""
    if job.origin_message_id is not None:
        return job.origin_message_id
    source = job.source
    here = source is not None and source.channel_id in {None, job.channel_id}
    return source.message_id if source is not None and here else None


def reply_to(job: Job, message_id: int | None) -> discord.MessageReference | None:
    """Return what makes a message a reply to that one in the job's channel; deleted, it is replied to by
    nothing."""
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id, channel_id=job.channel_id, guild_id=job.guild_id, fail_if_not_exists=False
    )
