"""Decode HEVC with the libde265 that libheif uses, and without libheif's copy of all that was decoded.

With 10 bits and chroma for each pixel the planes take 6 bytes a pixel, and twice as much with the copy.
https://github.com/strukturag/libde265/blob/master/libde265/de265.h
"""

import ctypes
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

from bot.media.decoder.channels import Channels, Plane, channel_count
from bot.media.decoder.libheif import LIBHEIF

_NEEDED = ("de265_push_NAL", "de265_decode", "de265_get_next_picture", "de265_get_image_plane")
_OUT_OF_MEMORY = 7  # DE265_ERROR_OUT_OF_MEMORY


def _library() -> ctypes.CDLL | None:
    """Return the library that finds libde265's functions, or None if none does."""
    if LIBHEIF is None or not all(hasattr(LIBHEIF, name) for name in _NEEDED):
        return None
    for name in ("de265_new_decoder", "de265_get_next_picture", "de265_get_image_plane"):
        getattr(LIBHEIF, name).restype = ctypes.c_void_p
    return LIBHEIF


LIBDE265 = _library()


class HevcError(RuntimeError):
    """The data is broken, or not what libde265 decodes."""


@contextmanager
def first_picture_of(units: Iterable[bytes]) -> Generator[ctypes.c_void_p]:
    """Decode the first picture of these units, in this thread. Raises `HevcError` and `MemoryError`."""
    library: Any = LIBDE265
    decoder = ctypes.c_void_p(library.de265_new_decoder())
    if not decoder:
        raise MemoryError
    try:
        for unit in units:
            _check(library.de265_push_NAL(decoder, unit, len(unit), ctypes.c_int64(0), None))
        _check(library.de265_flush_data(decoder))
        yield _first(decoder)
    finally:
        library.de265_free_decoder(decoder)


def channels_of(
    picture: ctypes.c_void_p,
    alpha: ctypes.c_void_p | None,
    told: tuple[dict[str, int], bool] | None,
    *,
    is_premultiplied: bool,
) -> Channels:
    """Return the planes of a picture and of its transparency. `told` are the colours that its file names."""
    library: Any = LIBDE265
    chroma: int = library.de265_get_chroma_format(picture)
    if told is None:
        told = (
            {
                "primaries": library.de265_get_image_colour_primaries(picture),
                "transfer": library.de265_get_image_transfer_characteristics(picture),
                "matrix": library.de265_get_image_matrix_coefficients(picture),
            },
            bool(library.de265_get_image_full_range_flag(picture)),
        )
    colours, is_full_range = told
    return Channels(
        chroma,
        [_plane(picture, channel) for channel in range(channel_count(chroma))],
        None if alpha is None else _plane(alpha, 0),
        colours,
        is_full_range,
        is_premultiplied,
    )


def _plane(picture: ctypes.c_void_p, channel: int) -> Plane:
    library: Any = LIBDE265
    stride = ctypes.c_int()
    return Plane(
        library.de265_get_image_plane(picture, channel, ctypes.byref(stride)) or 0,
        stride.value,
        library.de265_get_bits_per_pixel(picture, channel),
        library.de265_get_image_width(picture, channel),
        library.de265_get_image_height(picture, channel),
    )


def _first(decoder: ctypes.c_void_p) -> ctypes.c_void_p:
    library: Any = LIBDE265
    more = ctypes.c_int(1)
    while more.value:
        _check(library.de265_decode(decoder, ctypes.byref(more)))
        if picture := library.de265_get_next_picture(decoder):
            return ctypes.c_void_p(picture)
    raise HevcError


def _check(error: int) -> None:
    if error == _OUT_OF_MEMORY:
        raise MemoryError
    if error:
        raise HevcError(error)
