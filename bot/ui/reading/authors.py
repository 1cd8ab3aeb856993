"""Find who posted the picture in a message, or the photo that a job was made from."""

import asyncio
import re

import discord

from bot.jobs import queries
from bot.jobs.models import UNKNOWN_MEMBER, Job
from bot.services import Services
from bot.ui.kit.discord_errors import tolerated
from bot.ui.kit.host import custom_ids
from bot.ui.reading import LOOKUP_TIMEOUT

_OF_A_JOB = re.compile(r"studii:[a-z]+:(?P<job>[0-9a-f]{16})-[0-9]+")


async def author_in(message: discord.Message, client: discord.Client, services: Services) -> int:
    """Return the id of the member who posted the message's pictures, or `UNKNOWN_MEMBER`.

    The author of a forwarded picture is who posted it first, that of a result is the author of its photo.
    https://discord.com/developers/docs/resources/message#message-snapshot-object
    """
    if _is_forward(message):
        first = await _forwarded(message, client)
        # A forward of a forward does not say who posted the first message.
        if first is None or _is_forward(first):
            return UNKNOWN_MEMBER
        message = first
    if client.user is None or message.author.id != client.user.id:
        return message.author.id
    guild_id = message.guild.id if message.guild is not None else None
    found = (_OF_A_JOB.fullmatch(custom_id or "") for custom_id in custom_ids(message.components))
    for match in filter(None, found):
        job = await services.db.read(queries.get, match["job"])
        return UNKNOWN_MEMBER if job is None or job.guild_id != guild_id else author_of(job)
    return UNKNOWN_MEMBER


def author_of(job: Job) -> int:
    """Return the author of a job's photo, who is also its result's. Erased authors stay unknown."""
    return job.user_id if job.photo_author is None else job.photo_author


def _is_forward(message: discord.Message) -> bool:
    # Without the message content intent Discord may leave out the content of a fetched message.
    reference = message.reference
    forwards = reference is not None and reference.type is discord.MessageReferenceType.forward
    return forwards or bool(message.message_snapshots)


async def _forwarded(message: discord.Message, client: discord.Client) -> discord.Message | None:
    """Return the message that was forwarded, or None if it is gone or the bot can't see it."""
    reference = message.reference
    if reference is None or reference.message_id is None:
        return None
    channel = client.get_partial_messageable(reference.channel_id)
    if message.guild is not None and reference.guild_id in {None, message.guild.id}:
        channel = client.get_partial_messageable(reference.channel_id, guild_id=message.guild.id)
    with tolerated("A forwarded message could not be fetched"):
        async with asyncio.timeout(LOOKUP_TIMEOUT):
            return await channel.fetch_message(reference.message_id)
    return None
