"""Find the libwebp that Pillow brings.

Pillow decodes each WebP as an animation: two canvases and a copy, 12 bytes a pixel, so that a picture of 64
megapixels would not fit. libwebp's simple interface is not in Pillow, but in the library that it loads.
https://developers.google.com/speed/webp/docs/api
"""

import ctypes

from PIL import _webp  # pyright: ignore[reportAttributeAccessIssue] - it has no types

YUV = "WebPDecodeYUVInto"
RGBA = "WebPDecodeRGBAInto"


def _library() -> ctypes.CDLL | None:
    """Return Pillow's module as a library, which finds libwebp's functions, or None if it does not."""
    try:
        library = ctypes.CDLL(_webp.__file__)
        return library if hasattr(library, YUV) and hasattr(library, RGBA) else None
    except OSError:
        return None


LIBWEBP = _library()
