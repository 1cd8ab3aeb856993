"""The lookup of the photo that an earlier job was made from."""

import asyncio
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import discord

from bot.errors import Refused
from bot.jobs.models import SPOILER, Job, SourcePhoto
from bot.languages import lazy
from bot.ui.kit.discord_errors import refused_as
from bot.ui.reading import LOOKUP_TIMEOUT
from bot.ui.reading.pictures import pictures_in, plain_name

BEFORE_FILE = "before"  # the beginning of the file name of the photo before
HALVES_FILE = "halves"  # the same of a picture that is half before and half after
LABELLED_FILE = "staged"  # the same of a copy that says so of a staged picture
SMALLER_BEFORE = f"{BEFORE_FILE}-smaller"  # the same, if it was made smaller to be shown
_BESIDE = (f"{BEFORE_FILE}-", f"{HALVES_FILE}-", f"{LABELLED_FILE}-")
SMALLER_FILE = "smaller-"  # the same of a result that was made smaller to be shown
SOURCE_GONE = lazy(
    "The original photo is no longer in Discord. Post it again, and use the command or its "
    "menu. Nothing was charged."
)
UNREACHABLE = lazy("Discord didn't say where the photo is now. Try again in a moment. Nothing was charged.")


class PhotoGone(Refused):
    """The photo is no longer available where it was."""


class _Deleted(PhotoGone):
    """The photo was deleted from Discord."""


async def source_of(interaction: discord.Interaction, job: Job, now: datetime) -> SourcePhoto | None:
    """Return the photo that a job was made from.

    It is taken from the result whose button was pressed, else from its message as it is now, else as it was
    given then. The address of a photo that came with a command or a form is valid for a day; a message always
    has a valid one. Deleted photos are not used. Raises `PhotoGone` if the photo is gone, or if the job's
    inputs were erased and the result does not show it; `Refused` if Discord doesn't answer.
    """
    shown = shown_before(interaction.message)
    if job.scrubbed_at is not None:
        if shown is None:
            raise PhotoGone(
                lazy(
                    "The original request has expired. Use the command or a photo's menu. Nothing was "
                    "charged."
                )
            )
        return shown
    if job.source is None:
        return None
    if shown is not None and not is_smaller(shown):
        return shown
    given = None if _expired(job.source.url, now) else job.source
    if job.source.message_id is None and given is not None:
        return given
    try:
        return await found_again(interaction.client, job, job.source)
    except PhotoGone as gone:
        left = shown if isinstance(gone, _Deleted) else given or shown
        if left is None:
            raise
        return left
    except Refused:
        if given is None:
            raise
        return given


def is_before(photo: SourcePhoto) -> bool:
    """Return whether a picture under a result is the photo that it was made from."""
    return plain_name(photo).startswith(f"{BEFORE_FILE}-")


def is_smaller(photo: SourcePhoto) -> bool:
    """Return whether it is a copy of the photo that was made smaller to be shown under a result."""
    return plain_name(photo).startswith(SMALLER_BEFORE)


def is_beside(photo: SourcePhoto) -> bool:
    """Return whether a picture under a result is not the result itself, but shown to compare with it."""
    return plain_name(photo).startswith(_BESIDE)


def shows_before(url: str) -> bool:
    """Return whether the file at that address, of a posting of ours, shows the photo before."""
    name = urlsplit(url).path.rpartition("/")[2].removeprefix(SPOILER)
    return name.startswith((f"{BEFORE_FILE}-", f"{HALVES_FILE}-"))


def shown_of(message: discord.Message | None, job: Job) -> list[str]:
    """Return the addresses of the job's pictures in a message of its set, the result first."""
    galleries = (
        one
        for one in (message.components if message is not None else ())
        if isinstance(one, discord.MediaGalleryComponent)
    )
    found = [item.media.url for one in galleries for item in one.items]
    own = [address for address in found if f"-{job.id[:8]}." in urlsplit(address).path]
    return sorted(own, key=lambda one: urlsplit(one).path.rpartition("/")[2].startswith(_BESIDE))


def shown_before(message: discord.Message | None) -> SourcePhoto | None:
    """Return the photo before that a result shows."""
    return next((photo for photo in pictures_in(message) if is_before(photo)), None)


async def found_again(
    client: discord.Client, job: Job, source: SourcePhoto, patience: float = LOOKUP_TIMEOUT
) -> SourcePhoto:
    """Return the photo in its message, with the address that it has there now.

    Raises `PhotoGone` if it is not there, and `Refused` if Discord doesn't answer within `patience` seconds.

    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    if source.message_id is None:
        raise PhotoGone(
            lazy(
                "The photo was attached to a command or a form, and Discord keeps such photos for about a "
                "day. Attach it again, with Edit or the command. Nothing was charged."
            )
        )
    channel = client.get_partial_messageable(source.channel_id or job.channel_id, guild_id=job.guild_id)
    with refused_as(UNREACHABLE):
        try:
            async with asyncio.timeout(patience):
                message = await channel.fetch_message(source.message_id)
        except discord.NotFound as error:
            raise _Deleted(SOURCE_GONE) from error
        except discord.Forbidden as error:
            raise PhotoGone(
                lazy(
                    "The photo is in a channel I can't see any more. Post it here, and use the command or "
                    "its menu. Nothing was charged."
                )
            ) from error
    path = urlsplit(source.url).path
    for photo in pictures_in(message):
        if urlsplit(photo.url).path == path:
            return photo
    ours = client.user is not None and message.author.id == client.user.id
    if ours or client.intents.message_content:
        raise _Deleted(SOURCE_GONE)
    raise PhotoGone(
        lazy(
            "Discord doesn't show me other people's messages automatically, so I can't find the photo "
            "again. Use the menu of the photo's message: long press or right click, then Apps. "
            "Nothing was charged."
        )
    )


def _expired(url: str, now: datetime) -> bool:
    until = parse_qs(urlsplit(url).query).get("ex", [""])[0]
    try:
        return int(until, 16) <= now.timestamp()
    except ValueError:
        return False
