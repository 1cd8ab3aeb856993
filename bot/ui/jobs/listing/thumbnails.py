"""The pictures of jobs in the list: from what was posted, with the addresses that Discord gives them now."""

import asyncio
from collections.abc import Iterable, Mapping

import discord

from bot.domain import Job, JobState
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.reading.photo_lookup import is_beside
from bot.ui.reading.pictures import photos_in

PICTURES_PATIENCE = 1.2  # seconds; the list itself has to be shown within 3


async def pictures_of(client: discord.Client, jobs: Iterable[Job]) -> Mapping[str, str]:
    """Return the addresses of results' pictures by job; those that Discord tells in time.

    A stored address would be valid for about a day.
    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    posted = [job for job in jobs if _has_message(job)]
    found = await asyncio.gather(*(_picture(client, job) for job in posted))
    return {job.id: url for job, url in zip(posted, found, strict=True) if url is not None}


def _has_message(job: Job) -> bool:
    """Return whether the bot can read the message: one that a person alone was shown is in no channel."""
    return (
        job.state is JobState.SUCCEEDED
        and job.output_kind != "video"
        and job.result_message_id is not None
        and (bool(job.result_by_dm) or not job.private)
    )


async def _picture(client: discord.Client, job: Job) -> str | None:
    channel = client.get_partial_messageable(job.result_channel_id or job.channel_id)
    try:
        async with asyncio.timeout(PICTURES_PATIENCE):
            message = await channel.fetch_message(job.result_message_id or 0)
    except DISCORD_ERRORS:
        return None  # deleted, out of reach, or too slow: the list says everything else
    made = (photo.url for photo in photos_in(message) if not is_beside(photo))
    return next(made, None)
