"""Pictures: their kinds, and what can be said of them.

`bot.media.pool` opens them; it is not exported here, because the decoder's own processes import this package
and need no event loop.
"""

from bot.media.kinds import PhotoKind, sniff
from bot.media.photo import DecoderFailed, Photo, PhotoRefused, PictureBroken

__all__ = [
    "DecoderFailed",
    "Photo",
    "PhotoKind",
    "PhotoRefused",
    "PictureBroken",
    "sniff",
]
