"""Pictures that a library decodes by itself, because Pillow would take more memory for them than there is."""

from collections.abc import Callable
from typing import BinaryIO, Protocol

from PIL import Image

from bot.media.decoder import libavif, libheif, libwebp
from bot.media.decoder.avif import Avif
from bot.media.decoder.heic import Heic
from bot.media.decoder.webp import WebP
from bot.media.kinds import PhotoKind


class NativePicture(Protocol):
    """A picture that is not decoded yet."""

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height in pixels."""
        ...

    def check(self) -> None:
        """Decode it completely and keep nothing. Raises `Broken`."""

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        ...


def _found() -> dict[PhotoKind, Callable[[BinaryIO], NativePicture]]:
    found: dict[PhotoKind, Callable[[BinaryIO], NativePicture]] = {}
    if libwebp.LIBWEBP is not None:
        found[PhotoKind.WEBP] = WebP
    if libavif.LIBAVIF is not None:
        found[PhotoKind.AVIF] = Avif
        if libheif.LIBHEIF is not None:
            found[PhotoKind.HEIC] = Heic
    return found


NATIVE = _found()
"""The kinds whose library and its functions are found. Pillow opens the others."""
