"""Make a picture of its rows, which come a few at a time.

The rows are kept in a file without a name until the library that decoded them has given back its memory: the
planes of 64 megapixels in 10 bits and a picture made of them would not fit beside each other.
"""

import mmap
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO, ClassVar, Self

from PIL import Image

from bot.media.decoder.structure.shared_by_readers import Broken


class Rows:
    """The rows of a picture, in a file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    @classmethod
    @contextmanager
    def kept(cls, beside: BinaryIO) -> Generator[Self]:
        """Keep the rows in the folder of that file, until the end of the context."""
        with TemporaryFile(dir=Path(beside.name).parent, buffering=0) as file:
            yield cls(file)

    def write(self, rows: Iterable[memoryview]) -> None:
        """Append the rows. Raises OSError if the disk is full."""
        for some in rows:
            while some:
                some = some[self._file.write(some) :]

    def picture(self, mode: str, size: tuple[int, int]) -> Image.Image:
        """Return the picture, in a mode of a byte for each colour. Raises `Broken` if it has another size."""
        length = self._file.seek(0, 2)
        if length != size[0] * size[1] * len(mode):
            raise Broken
        pixels: Any = mmap.mmap(self._file.fileno(), length, access=mmap.ACCESS_COPY)
        return Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)  # RGBA without a copy


class DescribedPicture:
    """A picture that is not decoded yet. The plugin of Pillow reads what it is."""

    _plugin: ClassVar[Any]

    def __init__(self, file: BinaryIO) -> None:
        opened = self._plugin(file)
        self.size: tuple[int, int] = opened.size
        self._mode: str = opened.mode
        self._info: dict[Any, Any] = opened.info
        self._file = file
