"""Read what the readers of all formats have in common."""

import mmap
from dataclasses import dataclass


class Broken(Exception):
    """The file ends too early or contradicts itself."""


class NotAPhoto(Exception):
    """The file has a structure that no camera or program writes."""


@dataclass(frozen=True)
class Structure:
    """The size in pixels that the decoder will find, and the bytes of memory that it needs.

    `checked` is for decoding it whole and keeping nothing, `opened` for holding it as a picture, and
    `converted` for making it into one of three colours or with transparency. All were measured.
    """

    width: int
    height: int
    checked: int
    opened: int
    converted: int
    is_whole: bool = True  # as far as the structure tells: False if there is less data than the size needs


def unsigned(data: "mmap.mmap | bytes", start: int, size: int, *, little: bool = False) -> int:
    """Return the unsigned number of `size` bytes at `start`; raises `Broken` if the data ends before."""
    piece = data[start : start + size]
    if len(piece) < size or start < 0:
        raise Broken
    return int.from_bytes(piece, "little" if little else "big")


class Bits:
    """Reads bits, the highest first; raises `Broken` at the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        end = self._at + count
        if end > len(self._data) * 8:
            raise Broken
        first, last = self._at // 8, (end + 7) // 8
        value = int.from_bytes(self._data[first:last]) >> (last * 8 - end)
        self._at = end
        return value & ((1 << count) - 1)

    def exponential(self) -> int:
        """Return an unsigned number in Exp-Golomb code, as HEVC's ue(v) and AV1's uvlc()."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise Broken
        return (1 << zeros) - 1 + self.take(zeros)
