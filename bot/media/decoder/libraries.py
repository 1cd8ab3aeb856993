"""The libraries that Pillow and pillow-heif bring."""

import ctypes
from collections.abc import Iterable


def library_in(module: str | None, needed: Iterable[str], pointers: Iterable[str] = ()) -> ctypes.CDLL | None:
    """Return a module's file as a library, which finds the functions of the library that it loads.

    None if it lacks one of those that are needed. Those in `pointers` return one.
    """
    try:
        library = ctypes.CDLL(module)
    except OSError:
        return None
    if not all(hasattr(library, name) for name in needed):
        return None
    for name in pointers:
        getattr(library, name).restype = ctypes.c_void_p
    return library
