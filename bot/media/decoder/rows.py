"""Make a picture of its rows, which come a few at a time.

The rows are kept in a file without a name until the library that decoded them has given back its memory: the
planes of 64 megapixels in 10 bits and a picture made of them would not fit beside each other.
"""

import mmap
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from PIL import Image

from bot.media.decoder.structure.facts import Broken


class Rows:
    """A file with the rows of a picture, in a folder. It ends with this process."""

    def __init__(self, folder: Path) -> None:
        self._file: IO[bytes] = TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - closed by `picture`

    def write(self, rows: Iterable[memoryview]) -> None:
        """Append the rows. Raises OSError if the disk is full."""
        for some in rows:
            while some:
                some = some[self._file.write(some) :]

    def picture(self, mode: str, size: tuple[int, int]) -> Image.Image:
        """Return the picture, in a mode of a byte for each colour. Raises `Broken` if it has another size."""
        with self._file:
            length = self._file.seek(0, 2)
            if length != size[0] * size[1] * len(mode):
                raise Broken
            pixels: Any = mmap.mmap(self._file.fileno(), length, access=mmap.ACCESS_COPY)
        return Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)  # RGBA without a copy
