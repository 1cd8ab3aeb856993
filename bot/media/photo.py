"""The results of checking a photo, and what can be made of a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.errors import ReasonedError, StudiiBotError
from bot.media.kinds import PhotoKind
from bot.reasons import ReasonCode

MAX_PIXELS = 64_000_000


class PhotoRefused(ReasonedError):
    """The file can't be used as a photo. `told` says why, and so what to send instead."""

    code = ReasonCode.PHOTO_UNKNOWN_KIND


class PictureBroken(StudiiBotError):
    """An output that is a picture can't be decoded completely."""

    default = "The picture is broken or incomplete."  # Untranslated: the engine takes it


class DecoderFailed(StudiiBotError):
    """The decoder died, or exceeded its limit of memory, processor time or time.

    Unlike a refusal this may be due to the machine rather than the file.
    """

    # Untranslated: the engine takes it, and people read `Undecodable`.
    default = "That picture couldn't be opened: it took too much memory or time. Use another one."


@dataclass(frozen=True)
class Photo:
    """A photo that can be decoded.

    `content_type` is that of the file now. Width and height are in pixels, before any rotation by EXIF data.
    """

    kind: PhotoKind
    content_type: str
    width: int
    height: int


class Drawing(Protocol):
    """Makes copies of pictures, of at most `limit` bytes, or returns None if it can't.

    What is `made` by AI says so.
    """

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None: ...
    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None: ...
    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None: ...
