"""Read a picture's real size and the memory for decoding it, from its structure.

Files that no camera or program writes are refused here, by counting what would have to be decoded.
"""

import mmap
from collections.abc import Callable
from functools import partial

from bot.media.decoder import libavif, libde265, libheif
from bot.media.decoder.structure import bmp, gif, iso, jpeg, png, tiff, webp
from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure
from bot.media.kinds import PhotoKind

_HAS_LIBAVIF = libavif.LIBAVIF is not None
_HAS_LIBHEIF = _HAS_LIBAVIF and libheif.LIBHEIF is not None

_READERS: dict[PhotoKind, Callable[[mmap.mmap], Structure]] = {
    PhotoKind.JPEG: jpeg.read,
    PhotoKind.PNG: png.read,
    PhotoKind.WEBP: webp.read,
    PhotoKind.HEIC: partial(
        iso.read,
        is_native=_HAS_LIBHEIF,
        turns_planes=True,
        is_direct=_HAS_LIBHEIF and libde265.LIBDE265 is not None,
    ),
    PhotoKind.AVIF: partial(iso.read, is_native=_HAS_LIBAVIF, turns_planes=False),
    PhotoKind.GIF: gif.read,
    PhotoKind.TIFF: tiff.read,
    PhotoKind.BMP: bmp.read,
}


def structure_of(kind: PhotoKind, data: mmap.mmap) -> Structure:
    """Return the structure of a file of that kind; raises `Broken` and `NotAPhoto`."""
    try:
        found = _READERS[kind](data)
    except (IndexError, ValueError, OverflowError):
        raise Broken from None
    if found.width < 1 or found.height < 1:
        raise Broken
    return found
