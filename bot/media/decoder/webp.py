"""Decode WebP pictures in little memory, with libwebp itself. Of an animation, the first frame."""

import ctypes
import mmap
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO

from PIL import Image

from bot.media.decoder.libwebp import LIBWEBP, RGBA, YUV, decode_rows
from bot.media.decoder.picture_rows import Rows
from bot.media.decoder.structure.shared_by_readers import Broken
from bot.media.decoder.structure.webp import picture_in

_BESIDE = 2  # rows above and below, of which chroma is interpolated; even, as two rows share their chroma


class WebP:
    """A WebP picture. Raises `Broken` if there is none in the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            self._picture = picture_in(data)
            names = {"icc_profile": self._picture.profile, "exif": self._picture.exif}
            self._info: dict[Any, Any] = {
                name: data[place] for name, place in names.items() if place is not None
            }
        self.size = self._picture.canvas

    def check(self) -> None:
        """Decode it completely and keep nothing. Raises `Broken`."""
        width, height = self._picture.size
        plane, row = width * height, -(-width // 2)
        half = row * -(-height // 2)
        planes: list[object] = []
        for size, stride in ((plane, width), (half, row), (half, row)):
            planes += [_memory(bytearray(size)), ctypes.c_size_t(size), ctypes.c_int(stride)]
        self._decode(YUV, *planes)

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        if self._picture.is_decoded_in_halves:
            with Rows.kept(self._file) as kept:
                kept.write(self._halves())
                image = kept.picture("RGBA", self.size)
            image.info = self._info
            return image
        width, height = self.size
        left, top = self._picture.place
        pixels = bytearray(width * height * 4)
        start = (top * width + left) * 4
        into = _memory(pixels, start)
        self._decode(RGBA, into, ctypes.c_size_t(len(pixels) - start), ctypes.c_int(width * 4))
        # Of the modes without a channel of transparency, this one takes the bytes over without a copy.
        mode = "RGBA" if self._picture.has_alpha else "RGBX"
        image = Image.frombuffer(mode, self.size, pixels, "raw", mode, 0, 1)
        image.info = self._info
        return image

    def _halves(self) -> Iterator[memoryview]:
        """Decode one half after the other, so that only one is beside what libwebp decodes it from."""
        (across, down), (left, top), (width, height) = self.size, self._picture.place, self._picture.size
        row, middle = across * 4, height // 4 * 2
        pixels = bytearray(row * (height - middle + 2 * _BESIDE))
        yield memoryview(bytes(top * row))
        for first, last in (0, middle), (middle, height):
            rows = range(max(0, first - _BESIDE), min(height, last + _BESIDE))
            into = _memory(pixels, left * 4)
            self._feed(partial(decode_rows, rows=rows, width=width, into=into, stride=row))
            yield memoryview(pixels)[(first - rows.start) * row : (last - rows.start) * row]
        yield memoryview(bytes((down - top - height) * row))

    def _decode(self, function: str, *into: object) -> None:
        decode = getattr(LIBWEBP, function)
        decode.restype = ctypes.c_void_p
        self._feed(lambda content: decode(content, ctypes.c_size_t(len(content)), *into))

    def _feed(self, decode: Callable[[ctypes.Array[ctypes.c_char]], object]) -> None:
        """Decode the picture's data. Raises `Broken` if that didn't work."""
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
            data = self._picture.data
            content = _memory(mapped, data.start, data.stop - data.start)
            try:
                if not decode(content):
                    raise Broken
            finally:
                del content  # or the file could not be closed


def _memory(
    whole: bytearray | mmap.mmap, start: int = 0, length: int | None = None
) -> ctypes.Array[ctypes.c_char]:
    size = len(whole) - start if length is None else length
    return (ctypes.c_char * size).from_buffer(whole, start)
