"""Find the libheif that pillow-heif brings, and describe the parts of its structures that are used.

pillow-heif has a whole picture converted at once, and copies it: 8 bytes a pixel, beside the planes.
https://github.com/strukturag/libheif/tree/master/libheif/api/libheif
"""

import ctypes

import _pillow_heif  # pyright: ignore[reportMissingImports] - it has no types

_NEEDED = (
    "heif_decode_image",
    "heif_image_get_plane_readonly2",
    "heif_context_read_from_memory_without_copy",
)
_OUT_OF_MEMORY, _BEYOND_LIMITS = 6, 1000  # heif_error_Memory_allocation_error, and why there is none


class Error(ctypes.Structure):
    """`heif_error`."""

    _fields_ = (("code", ctypes.c_int), ("detail", ctypes.c_int), ("message", ctypes.c_char_p))


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


def _library() -> ctypes.CDLL | None:
    """Return pillow-heif's module as a library, which finds libheif's functions, or None if it does not."""
    try:
        library = ctypes.CDLL(_pillow_heif.__file__)
    except OSError:
        return None
    if not all(hasattr(library, name) for name in _NEEDED):
        return None
    library.heif_context_alloc.restype = ctypes.c_void_p
    library.heif_image_get_plane_readonly2.restype = ctypes.c_void_p
    return library


LIBHEIF = _library()


def call(name: str, *arguments: object) -> None:
    """Call a function that returns a `heif_error`. Raises `MemoryError` and `HeifError`."""
    function = getattr(LIBHEIF, name)
    function.restype = Error
    error: Error = function(*arguments)
    if error.code == _OUT_OF_MEMORY and error.detail != _BEYOND_LIMITS:
        raise MemoryError
    if error.code:
        raise HeifError(error.code, error.detail)
