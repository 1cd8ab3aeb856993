"""Find the libavif that Pillow brings, and describe the parts of its structures that are used.

Pillow converts a whole picture at once, and copies it: 8 bytes a pixel, beside the decoder's planes.
https://github.com/AOMediaCodec/libavif/blob/v1.4.2/include/avif/avif.h
"""

import ctypes

from PIL import _avif  # pyright: ignore[reportAttributeAccessIssue] - it has no types

from bot.media.decoder.libraries import library_in

_NEEDED = ("avifDecoderNthImage", "avifImageCreateEmpty", "avifImageSetViewRect", "avifImageYUVToRGB")
_OUT_OF_MEMORY = 26  # AVIF_RESULT_OUT_OF_MEMORY


class AvifError(RuntimeError):
    """The file is broken, or not one that libavif decodes."""


class DecoderSettings(ctypes.Structure):
    """The start of `avifDecoder`."""

    _fields_ = (
        ("codec", ctypes.c_int),
        ("threads", ctypes.c_int),
        ("source", ctypes.c_int),
        ("flags", ctypes.c_int * 4),
        ("most_pixels", ctypes.c_uint32),
        ("longest_side", ctypes.c_uint32),
        ("most_pictures", ctypes.c_uint32),
        ("strictness", ctypes.c_uint32),
        ("image", ctypes.c_void_p),
    )


class Planes(ctypes.Structure):
    """The start of `avifImage`: luma, chroma and transparency, and how they are to be understood."""

    _fields_ = (
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("depth", ctypes.c_uint32),
        ("layout", ctypes.c_int),
        ("is_full_range", ctypes.c_int),
        ("chroma_place", ctypes.c_int),
        ("planes", ctypes.c_void_p * 3),
        ("strides", ctypes.c_uint32 * 3),
        ("owns_planes", ctypes.c_int),
        ("alpha", ctypes.c_void_p),
        ("alpha_stride", ctypes.c_uint32),
        ("owns_alpha", ctypes.c_int),
        ("is_premultiplied", ctypes.c_int),
        ("profile", ctypes.c_size_t * 2),
        ("primaries", ctypes.c_uint16),
        ("transfer", ctypes.c_uint16),
        ("matrix", ctypes.c_uint16),
    )


class Rectangle(ctypes.Structure):
    """`avifCropRect`."""

    _fields_ = tuple((name, ctypes.c_uint32) for name in ("x", "y", "width", "height"))


class Pixels(ctypes.Structure):
    """`avifRGBImage`, and room for what later versions add."""

    _fields_ = (
        *((name, ctypes.c_uint32) for name in ("width", "height", "depth", "format")),
        ("settings", ctypes.c_int * 7),
        ("threads", ctypes.c_int),
        ("pixels", ctypes.c_void_p),
        ("stride", ctypes.c_uint32),
        ("later", ctypes.c_char * 256),
    )


def _library() -> ctypes.CDLL | None:
    library = library_in(_avif.__file__, _NEEDED, ("avifDecoderCreate", "avifImageCreateEmpty"))
    return library if library is not None and _is_known(library) else None


def _is_known(library: ctypes.CDLL) -> bool:
    """Return whether what is expected in a new decoder is at its place there."""
    place = library.avifDecoderCreate()
    if not place:
        return False
    new = DecoderSettings.from_address(place)
    found = (new.codec, new.threads, new.most_pixels, new.longest_side, new.strictness, bool(new.image))
    library.avifDecoderDestroy(ctypes.c_void_p(place))
    return found == (0, 1, 16_384 * 16_384, 32_768, 7, False)


LIBAVIF = _library()


def call(name: str, *arguments: object) -> None:
    """Call a function that returns an `avifResult`. Raises `MemoryError` and `AvifError`."""
    result: int = getattr(LIBAVIF, name)(*arguments)
    if result == _OUT_OF_MEMORY:
        raise MemoryError
    if result:
        raise AvifError(result)


def created(name: str) -> ctypes.c_void_p:
    """Return what a function creates. Raises `MemoryError`."""
    place: int | None = getattr(LIBAVIF, name)()
    if not place:
        raise MemoryError
    return ctypes.c_void_p(place)


def call_void(name: str, *arguments: object) -> None:
    """Call a function that can't fail."""
    getattr(LIBAVIF, name)(*arguments)
