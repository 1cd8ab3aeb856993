"""What is said of a photo: that it can be used, or why not."""

from dataclasses import dataclass

from bot.errors import StudiiBotError
from bot.media.kinds import PhotoKind

MAX_PIXELS = 64_000_000


class PhotoRefused(StudiiBotError):
    """The file cannot be used as a photo; the sentence says why and what to send instead."""

    default = "That file is not a picture that can be read. Please use a JPEG, PNG, WebP or HEIC photo."


class PictureBroken(StudiiBotError):
    """An output that is a picture does not decode whole."""

    default = "The picture is broken or incomplete."


class DecoderFailed(StudiiBotError):
    """The process that opened the file died, or exceeded its bound of memory, processor seconds or time.

    Unlike a refusal this says nothing certain of the file: the machine may have been short of something.
    """

    default = "That picture could not be opened: it took too much memory or time. Please use another one."


@dataclass(frozen=True)
class Photo:
    """A photo that decodes. `content_type` is what the file holds now; width and height are in pixels as they
    came, before any turn that its EXIF data asks for."""

    kind: PhotoKind
    content_type: str
    width: int
    height: int
