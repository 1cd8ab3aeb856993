"""Decode still WebP pictures in little memory, with libwebp itself."""

import ctypes
from typing import BinaryIO

from PIL import Image

from bot.media.decoder.libwebp import LIBRARY, RGBA, YUV
from bot.media.decoder.structure.facts import Broken
from bot.media.decoder.structure.webp import Picture, picture_in


class StillWebP:
    """A still WebP picture that is not decoded yet."""

    def __init__(self, data: bytes, picture: Picture) -> None:
        self._data = data
        self._picture = picture
        self.width, self.height = picture.size
        self.size = picture.size

    def check(self) -> None:
        """Decode it completely and keep nothing. Raises `Broken`."""
        plane, row = self.width * self.height, -(-self.width // 2)
        half = row * -(-self.height // 2)
        planes: list[object] = []
        for size, stride in ((plane, self.width), (half, row), (half, row)):
            planes += [_memory(bytearray(size)), ctypes.c_size_t(size), ctypes.c_int(stride)]
        self._decode(YUV, *planes)

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        pixels = bytearray(self.width * self.height * 4)
        self._decode(RGBA, _memory(pixels), ctypes.c_size_t(len(pixels)), ctypes.c_int(self.width * 4))
        # Of the modes without a channel of transparency, this one takes the bytes over without a copy.
        mode = "RGBA" if self._picture.has_alpha else "RGBX"
        image = Image.frombuffer(mode, self.size, pixels, "raw", mode, 0, 1)
        names = {"icc_profile": self._picture.profile, "exif": self._picture.exif}
        image.info = {name: self._data[place] for name, place in names.items() if place is not None}
        return image

    def _decode(self, function: str, *into: object) -> None:
        decode = getattr(LIBRARY, function)
        decode.restype = ctypes.c_void_p
        if not decode(ctypes.c_char_p(self._data), ctypes.c_size_t(len(self._data)), *into):
            raise Broken


def still_in(file: BinaryIO) -> StillWebP | None:
    """Return the picture in the file, or None if Pillow has to open it: it moves, or libwebp isn't found."""
    if LIBRARY is None:
        return None
    data = file.read()
    picture = picture_in(data)
    if picture is None:
        file.seek(0)
        return None
    return StillWebP(data, picture)


def _memory(pixels: bytearray) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * len(pixels)).from_buffer(pixels)
