"""Find the libheif that pillow-heif brings, and describe the parts of its structures that are used.

pillow-heif has a whole picture converted at once, and copies it: 8 bytes a pixel, beside the planes.
https://github.com/strukturag/libheif/tree/master/libheif/api/libheif
"""

import ctypes
import mmap
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import _pillow_heif  # pyright: ignore[reportMissingImports] - it has no types

from bot.media.decoder.channels import Channels, Plane, UnusualPlanes, channel_count
from bot.media.decoder.libraries import library_in

_NEEDED = (
    "heif_decode_image",
    "heif_image_get_plane_readonly2",
    "heif_context_read_from_memory_without_copy",
    "heif_decoding_options_alloc",
)
_KEEPING_COLOURS = 10  # the version of the options since which they say so
TILE_THREADS = 2  # that decode tiles
_AS_IT_IS = 99  # heif_colorspace_undefined, heif_chroma_undefined
_COLOUR_SPACES = frozenset({0, 2})  # YCbCr and grey
_LUMA, _ALPHA = 0, 6  # heif_channel; the two of chroma follow that of luma
_OUT_OF_MEMORY, _BEYOND_LIMITS = 6, 1000  # heif_error_Memory_allocation_error, and why there is none


class Error(ctypes.Structure):
    """`heif_error`."""

    _fields_ = (("code", ctypes.c_int), ("detail", ctypes.c_int), ("message", ctypes.c_char_p))


class _Options(ctypes.Structure):
    """The parts of `heif_decoding_options` that are set. `version` says how many there are."""

    _fields_ = (
        ("version", ctypes.c_uint8),
        ("ignores_turns", ctypes.c_uint8),
        ("others", ctypes.c_uint8 * 111),
        ("keeps_colours", ctypes.c_uint8),  # output_image_nclx_profile_passthrough
    )


class Colours(ctypes.Structure):
    """The start of `heif_color_profile_nclx`."""

    _fields_ = (
        ("version", ctypes.c_uint8),
        ("primaries", ctypes.c_int),
        ("transfer", ctypes.c_int),
        ("matrix", ctypes.c_int),
        ("is_full_range", ctypes.c_uint8),
    )


class HeifError(RuntimeError):
    """The file is broken, or not one that libheif decodes."""


LIBHEIF = library_in(
    _pillow_heif.__file__,
    _NEEDED,
    ("heif_context_alloc", "heif_decoding_options_alloc", "heif_image_get_plane_readonly2"),
)


def call(name: str, *arguments: object) -> None:
    """Call a function that returns a `heif_error`. Raises `MemoryError` and `HeifError`."""
    function = getattr(LIBHEIF, name)
    function.restype = Error
    error: Error = function(*arguments)
    if error.code == _OUT_OF_MEMORY and error.detail != _BEYOND_LIMITS:
        raise MemoryError
    if error.code:
        raise HeifError(error.code, error.detail)


@contextmanager
def decoded_image(data: mmap.mmap, *, is_turned: bool) -> Generator[ctypes.c_void_p]:
    """Decode the picture of a file that is mapped to be written, and turn it if that is to be done here."""
    library: Any = LIBHEIF
    context, handle, image, options = (
        ctypes.c_void_p(library.heif_context_alloc()),
        ctypes.c_void_p(),
        ctypes.c_void_p(),
        ctypes.c_void_p(library.heif_decoding_options_alloc()),
    )
    if not context or not options:
        raise MemoryError
    library.heif_context_set_max_decoding_threads(context, TILE_THREADS)
    how = _Options.from_address(options.value or 0)
    how.ignores_turns = not is_turned
    if how.version >= _KEEPING_COLOURS:
        how.keeps_colours = True  # or all is converted unless it is as sRGB, which takes twice the memory
    try:
        content = (ctypes.c_char * len(data)).from_buffer(data)
        size = ctypes.c_size_t(len(data))
        try:
            call("heif_context_read_from_memory_without_copy", context, content, size, None)
            call("heif_context_get_primary_image_handle", context, ctypes.byref(handle))
            call("heif_decode_image", handle, ctypes.byref(image), _AS_IT_IS, _AS_IT_IS, options)
        finally:
            library.heif_image_handle_release(handle)
            library.heif_context_free(context)
            library.heif_decoding_options_free(options)
            del content  # or the file could not be closed
        yield image
    finally:
        library.heif_image_release(image)


def channels_of(image: ctypes.c_void_p) -> Channels:
    """Return the planes of a decoded picture. Raises `UnusualPlanes`."""
    library: Any = LIBHEIF
    if library.heif_image_get_colorspace(image) not in _COLOUR_SPACES:
        raise UnusualPlanes
    chroma: int = library.heif_image_get_chroma_format(image)
    has_alpha = library.heif_image_has_channel(image, _ALPHA)
    colours, is_full_range = _colours(image)
    return Channels(
        chroma,
        [_plane(image, channel) for channel in range(_LUMA, _LUMA + channel_count(chroma))],
        _plane(image, _ALPHA) if has_alpha else None,
        colours,
        is_full_range,
        bool(has_alpha and library.heif_image_is_premultiplied_alpha(image)),
    )


def _plane(image: ctypes.c_void_p, channel: int) -> Plane:
    library: Any = LIBHEIF
    stride = ctypes.c_size_t()
    return Plane(
        library.heif_image_get_plane_readonly2(image, channel, ctypes.byref(stride)) or 0,
        stride.value,
        library.heif_image_get_bits_per_pixel_range(image, channel),
        library.heif_image_get_width(image, channel),
        library.heif_image_get_height(image, channel),
    )


def _colours(image: ctypes.c_void_p) -> tuple[dict[str, int], bool]:
    library: Any = LIBHEIF
    found = ctypes.c_void_p()
    try:
        call("heif_image_get_nclx_color_profile", image, ctypes.byref(found))
    except HeifError:
        return {}, True  # it has none
    colours = Colours.from_address(found.value or 0)
    points = {name: getattr(colours, name) for name in ("primaries", "transfer", "matrix")}
    is_full_range = bool(colours.is_full_range)
    library.heif_nclx_color_profile_free(found)
    return points, is_full_range
