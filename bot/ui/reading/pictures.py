"""The pictures of a message, the photo that a job was made from, and those of results."""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import discord

from bot.db import Database
from bot.errors import Refused
from bot.jobs import queries, thumbnails
from bot.jobs.models import SPOILER, UNKNOWN_MEMBER, Job, JobState, SourcePhoto
from bot.languages import Message, lazy, paragraph
from bot.media.kinds import ALIASES, PHOTO_SUFFIXES, UNKNOWN_TYPE, PhotoKind
from bot.resources import Resources
from bot.ui.kit.answers import DISCORD_ERRORS, refused_as, tolerated
from bot.ui.kit.layout import custom_ids, plain

LOOKUP_TIMEOUT = 1.5  # seconds; Discord expects the first answer within 3
# Hosts of Discord's own CDN; pictures of others are fetched through Discord's proxy.
_OWN_HOSTS = ("discordapp.com", "discordapp.net", "discord.com")
# Stickers of the other kind are drawn by Discord's app from a description.
_STICKERS = {
    discord.StickerFormatType.png: PhotoKind.PNG.content_type,
    discord.StickerFormatType.apng: PhotoKind.PNG.content_type,
    discord.StickerFormatType.gif: PhotoKind.GIF.content_type,
}
# Of a HEIC photo an unknown type is said where its kind is not known.
TAKEN = frozenset({*(kind.content_type for kind in PhotoKind), *ALIASES, UNKNOWN_TYPE})
MAX_FILE_NAME_CHARACTERS = 60  # shown of a file's name
SEND_ANOTHER = lazy("Send a JPEG, PNG, WebP or HEIC instead.")
_NOT_CHARGED = lazy("Nothing was charged.")
_NAMELESS = "picture"
_BEHIND_BARS = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)


def pictures_in(message: discord.Message | None) -> list[SourcePhoto]:
    """Return the message's pictures in the order in which they are seen, each once. A size of 0 is unknown.

    There are none if there is no message.

    They may be attachments, in a forwarded message, in media components, embeds or stickers. Their kind is
    not checked here. The names of pictures behind a spoiler say so.
    """
    return [] if message is None else [*photos_in(message), *_stickers(message)]


def photos_in(message: discord.Message | discord.MessageSnapshot) -> list[SourcePhoto]:
    """Return the pictures without stickers, which only a person's explicit choice should start from."""
    found: dict[str, SourcePhoto] = {}
    for photo in _all(message):
        path = urlsplit(photo.url).path
        first = found.setdefault(path, _located_in(message, photo))
        if photo.hidden:
            found[path] = _hidden(first)
    return list(found.values())


def _located_in(message: discord.Message | discord.MessageSnapshot, photo: SourcePhoto) -> SourcePhoto:
    if isinstance(message, discord.Message):
        return replace(photo, message_id=message.id, channel_id=message.channel.id)
    return photo


def _stickers(message: discord.Message | discord.MessageSnapshot) -> Iterator[SourcePhoto]:
    for sticker in message.stickers:
        kind = _STICKERS.get(sticker.format)
        if kind is not None:
            name = f"{sticker.name}.{kind.removeprefix('image/')}"
            yield _located_in(message, SourcePhoto(sticker.url, name, kind, 0))
    for snapshot in getattr(message, "message_snapshots", ()):
        for photo in _stickers(snapshot):
            yield _located_in(message, photo)


def _all(message: discord.Message | discord.MessageSnapshot) -> Iterator[SourcePhoto]:
    for attachment in message.attachments:
        if _is_picture(_kind(attachment.content_type), attachment.filename):
            yield attached(attachment)
    yield from _in_components(message.components)
    bars = " ".join(_BEHIND_BARS.findall(message.content))
    for embed in message.embeds:
        yield from _marked(_in_embed(embed), hidden=bool(embed.url and embed.url in bars))
    for snapshot in getattr(message, "message_snapshots", ()):
        yield from _all(snapshot)


def attached(attachment: discord.Attachment) -> SourcePhoto:
    """Return the attachment as Discord describes it, picture or not."""
    declared = _kind(attachment.content_type)
    photo = SourcePhoto(attachment.url, attachment.filename, declared or None, attachment.size)
    return _hidden(photo) if attachment.is_spoiler() else photo


def source_photo(attachment: discord.Attachment) -> SourcePhoto:
    """Return the attachment as a job's source. Raises `Refused` as `ensure_taken` does."""
    return ensure_taken(attached(attachment), lazy("Send a JPEG, PNG, WebP or HEIC as `image`."))


def taken_of(photos: Iterable[SourcePhoto]) -> list[SourcePhoto]:
    """Return the photos without those that Discord declares to be of a kind that is refused."""
    return [photo for photo in photos if not photo.content_type or photo.content_type in TAKEN]


def ensure_taken(photo: SourcePhoto, remedy: Message = SEND_ANOTHER) -> SourcePhoto:
    """Return the same photo. Its bytes are checked when they have been fetched.

    Raises `Refused` if Discord declares a kind that is not a picture, or that is not accepted; it ends with
    what to send.
    """
    declared = photo.content_type
    if declared and declared not in TAKEN:
        name = plain(plain_name(photo), MAX_FILE_NAME_CHARACTERS)
        if declared.startswith("image/"):
            raise Refused(paragraph(lazy("Studii can't use {file}.", file=name), remedy, _NOT_CHARGED))
        raise Refused(paragraph(lazy("{file} isn't a picture.", file=name), remedy, _NOT_CHARGED))
    return photo


def plain_name(photo: SourcePhoto) -> str:
    """Return the photo's name without the mark of a spoiler."""
    return photo.filename.removeprefix(SPOILER)


def _hidden(photo: SourcePhoto) -> SourcePhoto:
    return photo if photo.hidden else replace(photo, filename=SPOILER + photo.filename)


def _marked(photos: Iterable[SourcePhoto], *, hidden: bool) -> Iterator[SourcePhoto]:
    return map(_hidden, photos) if hidden else iter(photos)


def _in_components(components: Iterable[Any]) -> Iterator[SourcePhoto]:
    for component in components:
        if isinstance(component, discord.MediaGalleryComponent):
            for item in component.items:
                yield from _marked(_in_media(item.media), hidden=item.spoiler)
        elif isinstance(component, discord.ThumbnailComponent):
            yield from _marked(_in_media(component.media), hidden=component.spoiler)
        elif isinstance(component, discord.FileComponent):
            file = _in_media(component.media, component.name, component.size)
            yield from _marked(file, hidden=component.spoiler)
        # A box may hide everything in it.
        hidden = isinstance(component, discord.Container) and component.spoiler
        yield from _marked(_in_components(getattr(component, "children", ())), hidden=hidden)
        accessory = getattr(component, "accessory", None)
        if accessory is not None:
            yield from _in_components((accessory,))


def _in_media(
    media: discord.UnfurledMediaItem, name: str | None = None, size: int | None = None
) -> Iterator[SourcePhoto]:
    declared = _kind(media.content_type)
    name = name or _name(media.url)
    if _is_picture(declared, name):
        own = media.attachment_id is not None
        yield SourcePhoto(_reachable(media.url, media.proxy_url, own=own), name, declared or None, size or 0)


def _in_embed(embed: discord.Embed) -> Iterator[SourcePhoto]:
    shown = [embed.image]
    # The preview of a bare link to a picture; in other embeds the thumbnail is a site's logo.
    if embed.type == "image":
        shown.append(embed.thumbnail)
    for one in shown:
        if one.url:
            yield SourcePhoto(_reachable(one.url, one.proxy_url), _name(one.url), None, 0)


def _kind(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _is_picture(declared: str, name: str) -> bool:
    if declared and declared != UNKNOWN_TYPE:
        return declared.startswith("image/")
    return PurePosixPath(name).suffix.lower() in PHOTO_SUFFIXES


def _name(url: str) -> str:
    return PurePosixPath(unquote(urlsplit(url).path)).name or _NAMELESS


def _reachable(url: str, proxy_url: str | None, *, own: bool = False) -> str:
    host = urlsplit(url).hostname or ""
    if own or not proxy_url or host.endswith(_OWN_HOSTS):
        return url
    return proxy_url


# A job's photo

_OF_A_JOB = re.compile(r"studii:[a-z]+:(?P<job>[0-9a-f]{16})-[0-9]+")


async def author_in(message: discord.Message, client: discord.Client, resources: Resources) -> int:
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
        job = await resources.db.read(queries.get, match["job"])
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


BEFORE_FILE = "before"  # the beginning of the file name of the photo before
HALVES_FILE = "halves"  # the same of a picture that is half before and half after
WIPE_FILE = "wipe"  # the same of one that moves from before to after
LABELLED_FILE = "staged"  # the same of a copy that says so of a staged picture
SMALLER_BEFORE = f"{BEFORE_FILE}-smaller"  # the same, if it was made smaller to be shown
_SHOW_BEFORE = (f"{BEFORE_FILE}-", f"{HALVES_FILE}-", f"{WIPE_FILE}-")
_BESIDE = (*_SHOW_BEFORE, f"{LABELLED_FILE}-")
SMALLER_FILE = "smaller-"  # the same of a result that was made smaller to be shown
SOURCE_GONE = lazy(
    "The original photo is no longer in Discord. Post it again, and use the command or its "
    "menu. Nothing was charged."
)


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
    before = shown_before(interaction.message)
    shown = before and placed(before, interaction.message, job)
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


def placed(photo: SourcePhoto, message: discord.Message | None, job: Job) -> SourcePhoto:
    """Return a picture of the job's result that is in a message, with where it can be looked up again: not in
    an answer that a person alone sees."""
    if message is None or not message.flags.ephemeral:
        return photo
    there = None if job.private else job.result_message_id
    return replace(photo, message_id=there, channel_id=job.result_channel_id or job.channel_id)


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
    return name.startswith(_SHOW_BEFORE)


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
    with refused_as(
        lazy("Discord didn't say where the photo is now. Try again in a moment. Nothing was charged.")
    ):
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


# Posted results

PICTURES_PATIENCE = 1.2  # seconds; the list itself has to be shown within 3


@dataclass(frozen=True, slots=True)
class PostedResults:
    """The pictures of results by job, and the ids of jobs whose result was deleted from Discord."""

    pictures: Mapping[str, SourcePhoto]
    deleted: frozenset[str]

    def hides(self, job: Job) -> bool:
        """Return whether the job's result is behind a spoiler."""
        picture = self.pictures.get(job.id)
        return job.hidden or (picture is not None and picture.hidden)


async def small_pictures(
    client: discord.Client, db: Database, jobs: Sequence[Job]
) -> tuple[PostedResults, dict[str, bytes]]:
    """Look the jobs' results up in Discord, and return also their thumbnails. Those of deleted results go."""
    posted = await posted_results(client, jobs)
    found = await db.read(thumbnails.of, [job.id for job in jobs if job.state is JobState.SUCCEEDED])
    if gone := sorted(posted.deleted & found.keys()):
        await db.write(thumbnails.drop, gone)
    return posted, {job_id: data for job_id, data in found.items() if job_id not in posted.deleted}


async def posted_results(client: discord.Client, jobs: Iterable[Job]) -> PostedResults:
    """Look the jobs' results up in Discord; what it doesn't tell in time is missing.

    A stored address would be valid for about a day. Several results may be in one message.
    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    # The message that a person alone was shown is in no channel.
    there = [job for job in jobs if job.state is JobState.SUCCEEDED and job.result_message_id is not None]
    posted = [job for job in there if job.result_by_dm or not job.private]
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
