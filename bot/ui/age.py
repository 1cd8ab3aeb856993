"""Age-restricted channels: nothing from there is shown elsewhere."""

from typing import Any

import discord

from bot.model import Job


def is_age_restricted(channel: Any) -> bool | None:
    """Whether the channel is, or the one that it is a thread of; None where that can't be told."""
    if isinstance(channel, discord.Thread) and channel.parent is None:
        return None
    is_nsfw = getattr(channel, "is_nsfw", None)
    return None if is_nsfw is None else bool(is_nsfw())


def stays_there(client: discord.Client, job: Job) -> bool:
    """Whether nothing of the job may be shown elsewhere: its channel was age-restricted when it was asked
    for, or is now; so it is too where nobody can tell."""
    guild = client.get_guild(job.guild_id)
    if guild is None or job.age_restricted:
        return True
    now = is_age_restricted(guild.get_channel_or_thread(job.channel_id))
    # Of a channel that was deleted, and a thread that rests, what was known when it was asked for counts.
    return job.age_restricted is None if now is None else now
