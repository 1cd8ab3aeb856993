"""Find the libwebp that Pillow brings.

Pillow decodes each WebP as an animation: two canvases and a copy, 12 bytes a pixel, so that a picture of 64
megapixels would not fit. libwebp's simple interface is not in Pillow, but in the library that it loads.
https://developers.google.com/speed/webp/docs/api
"""

import ctypes
from typing import Any

from PIL import _webp  # pyright: ignore[reportAttributeAccessIssue] - it has no types

from bot.media.decoder.libraries import library_in

YUV = "WebPDecodeYUVInto"
RGBA = "WebPDecodeRGBAInto"
_NEEDED = YUV, RGBA, "WebPDecode", "WebPInitDecoderConfigInternal"
_VERSION = 0x0209  # WEBP_DECODER_ABI_VERSION, of which the first half must match
_RGBA_MODE = 1  # MODE_RGBA


class _Output(ctypes.Structure):
    """`WebPDecBuffer` for RGBA, and room for the planes that it may hold instead."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("mode", "width", "height", "is_external")),
        ("pixels", ctypes.c_void_p),
        ("stride", ctypes.c_int),
        ("size", ctypes.c_size_t),
        ("planes", ctypes.c_size_t * 7),
        ("padding", ctypes.c_uint32 * 4),
        ("own", ctypes.c_void_p),
    )


class _Configuration(ctypes.Structure):
    """`WebPDecoderConfig`."""

    _fields_ = (
        ("found", ctypes.c_int * 10),
        ("output", _Output),
        *((name, ctypes.c_int) for name in ("skips_filter", "is_plain", "is_cropped")),
        *((name, ctypes.c_int) for name in ("left", "top", "width", "height")),
        ("others", ctypes.c_int * 7),
        ("padding", ctypes.c_uint32 * 5),
    )


def decode_rows(
    content: ctypes.Array[ctypes.c_char],
    rows: range,
    width: int,
    into: ctypes.Array[ctypes.c_char],
    stride: int,
) -> bool:
    """Decode some rows, of which the first has an even number, to RGBA. Return whether that worked."""
    library: Any = LIBWEBP
    settings = _Configuration()
    if not library.WebPInitDecoderConfigInternal(ctypes.byref(settings), _VERSION):
        return False
    crop = {"is_cropped": 1, "top": rows.start, "width": width, "height": len(rows)}
    pixels = ctypes.addressof(into)
    output = {"mode": _RGBA_MODE, "is_external": 1, "pixels": pixels, "stride": stride, "size": len(into)}
    for structure, facts in (settings, crop), (settings.output, output):
        for name, value in facts.items():
            setattr(structure, name, value)
    return not library.WebPDecode(content, ctypes.c_size_t(len(content)), ctypes.byref(settings))


LIBWEBP = library_in(_webp.__file__, _NEEDED)
