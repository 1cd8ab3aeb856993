"""Find channels, and what the bot may do there."""

import discord

from bot.jobs.models import Job
from bot.ui.reading.permissions import channel_in


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


def channel_of(client: discord.Client, job: Job) -> discord.PartialMessageable:
    """Return the job's channel.

    By its id alone: an archived thread, or any channel before the gateway is ready, is in no cache.
    """
    return client.get_partial_messageable(job.channel_id, guild_id=job.guild_id)


def reply_to(guild_id: int, channel_id: int, message_id: int | None) -> discord.MessageReference | None:
    """Return what makes a message a reply to that one; deleted, it is replied to by nothing."""
    if message_id is None:
        return None
    return discord.MessageReference(
        message_id=message_id, channel_id=channel_id, guild_id=guild_id, fail_if_not_exists=False
    )
