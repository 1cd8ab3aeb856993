"""Age-restricted channels: nothing from there is shown elsewhere."""

from typing import Any

import discord

from bot.domain import Job
from bot.errors import Refused

FROM_AGE_RESTRICTED = (
    "That was asked for in an age-restricted channel, so its result can be posted in such a channel alone."
)


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


def ensure_stays_there(interaction: discord.Interaction[Any], job: Job) -> None:
    """Raises `Refused` if nothing of the job may be shown where the interaction comes from."""
    here = is_age_restricted(interaction.channel)
    unchanged = here is None and interaction.channel_id == job.channel_id
    if stays_there(interaction.client, job) and not here and not unchanged:
        raise Refused(FROM_AGE_RESTRICTED)
