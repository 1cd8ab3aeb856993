"""The pictures of posted results as Discord has them now, and which results were deleted."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import discord

from bot.jobs.models import Job, JobState, SourcePhoto
from bot.ui.kit.discord_errors import DISCORD_ERRORS
from bot.ui.reading.photo_lookup import is_beside
from bot.ui.reading.pictures import photos_in

PICTURES_PATIENCE = 1.2  # seconds; the list itself has to be shown within 3


@dataclass(frozen=True, slots=True)
class PostedResults:
    """The pictures of results by job, and the ids of jobs whose result was deleted from Discord."""

    pictures: Mapping[str, SourcePhoto]
    deleted: frozenset[str]


async def posted_results(client: discord.Client, jobs: Iterable[Job]) -> PostedResults:
    """Look the jobs' results up in Discord; what it doesn't tell in time is missing.

    A stored address would be valid for about a day. Several results may be in one message.
    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    posted = [job for job in jobs if _has_message(job)]
    places = list(dict.fromkeys(map(_place, posted)))
    found = await asyncio.gather(*(_message(client, *place) for place in places))
    messages = dict(zip(places, found, strict=True))
    pictures = {job.id: _picture(job, messages[_place(job)]) for job in posted}
    return PostedResults(
        {job_id: picture for job_id, picture in pictures.items() if picture is not None},
        frozenset(job.id for job in posted if _is_deleted(job, messages[_place(job)])),
    )


def _place(job: Job) -> tuple[int, int]:
    """Return the channel and the message with the job's result."""
    return job.result_channel_id or job.channel_id, job.result_message_id or 0


def _has_message(job: Job) -> bool:
    """Return whether the bot can read the message: one that a person alone was shown is in no channel."""
    return (
        job.state is JobState.SUCCEEDED
        and job.result_message_id is not None
        and (bool(job.result_by_dm) or not job.private)
    )


async def _message(client: discord.Client, channel_id: int, message_id: int) -> discord.Message | Exception:
    """Return the message, or why Discord doesn't show it."""
    channel = client.get_partial_messageable(channel_id)
    try:
        async with asyncio.timeout(PICTURES_PATIENCE):
            return await channel.fetch_message(message_id)
    except DISCORD_ERRORS as error:
        return error


def _picture(job: Job, message: discord.Message | Exception) -> SourcePhoto | None:
    """Return the job's own picture, which has a part of its id in its name."""
    if isinstance(message, Exception) or job.output_kind == "video":
        return None
    made = [photo for photo in photos_in(message) if not is_beside(photo)]
    own = (photo for photo in made if f"-{job.id[:8]}." in urlsplit(photo.url).path)
    return next(own, made[0] if len(made) == 1 and job.set_message is None else None)


def _is_deleted(job: Job, message: discord.Message | Exception) -> bool:
    """Return whether the message is gone, or, if it shows a set in a channel, no longer has this one."""
    if isinstance(message, Exception):
        return isinstance(message, discord.NotFound)
    one_of_set = job.set_message is not None and not job.result_by_dm
    return one_of_set and job.id not in _offered(message)


def _offered(message: discord.Message) -> set[str]:
    """Return the jobs in the menu of a set's message."""
    rows = (one for one in message.components if isinstance(one, discord.ActionRow))
    menus = (one for each in rows for one in each.children if isinstance(one, discord.SelectMenu))
    return {option.value for menu in menus for option in menu.options}
