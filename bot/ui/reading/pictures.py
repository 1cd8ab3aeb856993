"""The pictures of a message, wherever Discord keeps them, and which of them a job can start from."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import discord

from bot.errors import Refused
from bot.jobs.models import SPOILER, SourcePhoto
from bot.languages import Message, lazy, paragraph
from bot.media.kinds import ALIASES, PHOTO_SUFFIXES, UNKNOWN_TYPE, PhotoKind
from bot.ui.kit.layout import plain

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
