"""Convert planes of luma and chroma to pixels, some rows at a time, with libavif."""

import ctypes
from collections.abc import Iterator

from bot.media.decoder.libavif import Pixels, Planes, Rectangle, call, call_void, created

_ROWS = 64  # that are converted together; even, as two rows may share their chroma
_BESIDE = 2  # rows above and below, of which chroma is interpolated; even as well
_AVOID_LIBYUV = 2  # of the settings of avifRGBImage
_FORMATS = {"RGB": 0, "RGBA": 1}  # of avifRGBFormat


def pixel_rows(picture: Planes, mode: str, *, is_exact: bool = False) -> Iterator[memoryview]:
    """Return the pixels, some rows at a time, in RGB or RGBA. What is returned changes with the next step.

    `is_exact`: without libyuv, which is quick and makes the blue of a limited range too dark.
    """
    width, height = picture.width, picture.height
    row = width * len(mode)
    pixels = bytearray(row * (_ROWS + 2 * _BESIDE))
    into = Pixels()
    view = created("avifImageCreateEmpty")
    try:
        for top in range(0, height, _ROWS):
            first, last = max(0, top - _BESIDE), min(height, top + _ROWS + _BESIDE)
            part = Rectangle(0, first, width, last - first)
            call("avifImageSetViewRect", view, ctypes.byref(picture), ctypes.byref(part))
            call_void("avifRGBImageSetDefaults", ctypes.byref(into), view)
            into.depth, into.format = 8, _FORMATS[mode]
            into.settings[_AVOID_LIBYUV] = is_exact
            into.pixels, into.stride = ctypes.addressof(ctypes.c_char.from_buffer(pixels)), row
            call("avifImageYUVToRGB", view, ctypes.byref(into))
            yield memoryview(pixels)[(top - first) * row : (min(top + _ROWS, height) - first) * row]
    finally:
        call_void("avifImageDestroy", view)
