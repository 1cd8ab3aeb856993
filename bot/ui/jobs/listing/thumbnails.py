"""The pictures of jobs: from what was posted, with the addresses that Discord gives them now."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import discord

from bot.domain import Job, JobState, SourcePhoto
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.reading.photo_lookup import is_beside
from bot.ui.reading.pictures import photos_in

PICTURES_PATIENCE = 1.2  # seconds; the list itself has to be shown within 3


async def pictures_of(client: discord.Client, jobs: Iterable[Job]) -> Mapping[str, SourcePhoto]:
    """Return results' pictures by job; those that Discord tells in time.

    A stored address would be valid for about a day. Several results may be in one message.
    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    posted = [job for job in jobs if _has_message(job)]
    places = list(dict.fromkeys(map(_place, posted)))
    found = await asyncio.gather(*(_made_in(client, *place) for place in places))
    made = dict(zip(places, found, strict=True))
    pictures = {job.id: _of(job, made[_place(job)]) for job in posted}
    return {job_id: picture for job_id, picture in pictures.items() if picture is not None}


def _place(job: Job) -> tuple[int, int]:
    """Return the channel and the message with the job's result."""
    return job.result_channel_id or job.channel_id, job.result_message_id or 0


def _has_message(job: Job) -> bool:
    """Return whether the bot can read the message: one that a person alone was shown is in no channel."""
    return (
        job.state is JobState.SUCCEEDED
        and job.output_kind != "video"
        and job.result_message_id is not None
        and (bool(job.result_by_dm) or not job.private)
    )


async def _made_in(client: discord.Client, channel_id: int, message_id: int) -> Sequence[SourcePhoto]:
    """Return the results in a message: none if it was deleted, or is out of reach, or Discord is too slow."""
    channel = client.get_partial_messageable(channel_id)
    try:
        async with asyncio.timeout(PICTURES_PATIENCE):
            message = await channel.fetch_message(message_id)
    except DISCORD_ERRORS:
        return ()
    return [photo for photo in photos_in(message) if not is_beside(photo)]


def _of(job: Job, made: Sequence[SourcePhoto]) -> SourcePhoto | None:
    """Return the job's own picture, which has a part of its id in its name."""
    own = (photo for photo in made if f"-{job.id[:8]}." in urlsplit(photo.url).path)
    return next(own, made[0] if len(made) == 1 else None)
