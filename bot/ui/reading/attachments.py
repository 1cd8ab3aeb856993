"""Pictures in Discord that a job may start from, judged by what Discord says of them."""

from collections.abc import Iterable

import discord

from bot.domain import SourcePhoto
from bot.errors import Refused
from bot.ui.kit.text import plain
from bot.ui.reading.pictures import attached, plain_name

TAKEN = frozenset(
    {
        "image/jpeg",
        "image/jpg",
        "image/png",
        "image/apng",
        "image/webp",
        "image/heic",
        "image/heif",
        "image/heic-sequence",
        "image/heif-sequence",
        "image/avif",
        "image/gif",
        "image/tiff",
        "image/bmp",
        "image/x-ms-bmp",
        "application/octet-stream",  # said of a HEIC photo where its kind is not known
    }
)
NAME_LENGTH = 60  # characters shown of a file's name


def source_photo(attachment: discord.Attachment) -> SourcePhoto:
    """The attachment as a job's source; raises `Refused` as `ensure_taken` does."""
    return ensure_taken(attached(attachment), "as `image`")


def taken_of(photos: Iterable[SourcePhoto]) -> list[SourcePhoto]:
    """Those of which Discord does not say that they are of a kind that is not taken."""
    return [photo for photo in photos if not photo.content_type or photo.content_type in TAKEN]


def ensure_taken(photo: SourcePhoto, how: str = "instead") -> SourcePhoto:
    """The same photo; what its bytes really are is looked at when they are here.

    Raises `Refused` when Discord declares something that is no picture, or one that we do not take.
    """
    declared = photo.content_type
    if declared and declared not in TAKEN:
        name = plain(plain_name(photo), NAME_LENGTH)
        what = "of a kind that Studii does not take" if declared.startswith("image/") else "no picture"
        raise Refused(f"{name} is {what}. Use a JPEG, PNG, WebP or HEIC picture {how}. Nothing was charged.")
    return photo
