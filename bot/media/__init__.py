"""Pictures: what the bytes are."""

from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.photo import MAX_PIXELS, Photo, PhotoInspector, PhotoRefused

__all__ = [
    "HEAD_BYTES",
    "MAX_PIXELS",
    "Photo",
    "PhotoInspector",
    "PhotoKind",
    "PhotoRefused",
    "sniff",
]
