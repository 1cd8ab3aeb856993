"""Count the levels in the first scan of a progressive JPEG, where zeros are an even area or never arrived.

https://www.w3.org/Graphics/JPEG/itu-t81.pdf, G.1.2.1
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

MAX_BLOCKS = 4_000_000  # of 64 megapixels without reduced colours there are 3,000,000
_CODE_BITS = 16  # bits of a code
_READ = 64  # bytes at once
_ENOUGH = 32  # bits: of the longest code and what follows it


@dataclass(frozen=True, slots=True)
class LevelScan:
    """A scan of levels alone: where its data is, how many units it has, and the tables of a unit's blocks."""

    start: int
    end: int
    units: int
    tables: Sequence[bytes]

    def is_whole(self, data: mmap.mmap) -> bool:
        """Return whether all its blocks, and no more, are there. True if there are too many to be counted."""
        if self.units * len(self.tables) > MAX_BLOCKS:
            return True
        coded = data[self.start : self.end].rstrip(b"\xff").replace(b"\xff\x00", b"\xff")
        bits = _counted(coded, self.units, self.tables)
        return bits is not None and -(-bits // 8) == len(coded)


def code_lengths(counts: bytes, symbols: bytes) -> bytes:
    """Return for each 16 bits how many a code at their start takes, with the bits of the level after it.

    0 stands for no code.
    """
    found = bytearray(1 << _CODE_BITS)
    code, index = 0, 0
    for length, count in enumerate(counts, 1):
        for symbol in symbols[index : index + count]:
            first = code << _CODE_BITS - length
            size = 1 << _CODE_BITS - length
            found[first : first + size] = bytes([length + (symbol & 15)]) * size
            code += 1
        index += count
        code <<= 1
    return bytes(found[: 1 << _CODE_BITS])


def _counted(coded: bytes, units: int, tables: Sequence[bytes]) -> int | None:
    """Return how many bits the blocks take, or None if there are too few or one has no code."""
    held, count, at, left = 0, 0, 0, len(coded) * 8
    for _ in range(units):
        for table in tables:
            if count < _ENOUGH:
                held = (held & (1 << count) - 1) << 8 * _READ
                held |= int.from_bytes(coded[at : at + _READ].ljust(_READ, b"\xff"))
                count += 8 * _READ
                at += _READ
            size = table[held >> count - _CODE_BITS & 0xFFFF]
            count -= size
            left -= size
            if not size or left < 0:
                return None
    return len(coded) * 8 - left
