"""Tell what zeros mean in the coded data of a JPEG: an even area, or a part that never arrived.

https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annexes C, F and G
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass

from bot.media.decoder.structure.jpeg_levels import code_lengths

MAX_ZEROS = 1_024  # bytes
_LEVELS = 4_096  # from the lowest to the highest of a block, with 8 bits
_COUNTS = 16  # one for each length of a code
_LONG_RUN = 0xF0  # sixteen coefficients of zero; any other that ends so ends the block, or several
_RUNS = frozenset(range(0x10, _LONG_RUN, 0x10))
_AC = 0x10


@dataclass(frozen=True, slots=True)
class _Code:
    """The code of zeros alone, of which each table has one.

    `has_runs` says that the table has codes for the end of several blocks at once.
    """

    length: int
    symbol: int
    has_runs: bool


@dataclass(frozen=True, slots=True)
class ScanPart:
    """One component of a scan: its number of blocks in each unit, and their tables."""

    blocks: int
    dc_table: int
    ac_table: int


class Tables:
    """The Huffman tables of a JPEG, as the next scan uses them."""

    def __init__(self) -> None:
        self._codes: dict[int, _Code] = {}
        self._all: dict[int, tuple[bytes, bytes]] = {}

    def note(self, data: mmap.mmap, at: int, end: int) -> None:
        """Note the tables of a segment, whose content is there."""
        while at + _COUNTS < end:
            counts = data[at + 1 : at + 1 + _COUNTS]
            length = next((index + 1 for index, count in enumerate(counts) if count), 0)
            symbols = data[at + 1 + _COUNTS : at + 1 + _COUNTS + sum(counts)]
            self._all[data[at]] = counts, symbols
            if length and symbols:
                self._codes[data[at]] = _Code(length, symbols[0], any(one in _RUNS for one in symbols))
            at += 1 + _COUNTS + sum(counts)

    def levels(self, parts: Sequence[ScanPart]) -> list[bytes] | None:
        """Return the `code_lengths` of each block's levels in a unit, or None if a table is missing."""
        if any(part.dc_table not in self._all for part in parts):
            return None
        return [table for part in parts for table in [code_lengths(*self._all[part.dc_table])] * part.blocks]

    def allow_zeros(self, parts: Sequence[ScanPart], first: int, last: int, *, refines: bool) -> bool:
        """Return whether an encoder may write `MAX_ZEROS` zeros in a scan of these coefficients, which may
        refine those of an earlier one.

        They are an even area if they end each block at once and leave its level as it is. Otherwise they are
        block after block of the same pattern, or levels that fall without end, which no photo has.
        """
        size, steepest = 0, 0
        for part in parts:
            if first == 0 and refines:
                return True
            if first == 0:
                level = self._codes.get(part.dc_table)
                if level is None:
                    return True
                size += part.blocks * (level.length + level.symbol)
                steepest = max(steepest, part.blocks * ((1 << level.symbol) - 1))
            if last > 0:
                rest = self._codes.get(_AC | part.ac_table)
                if rest is None:
                    return True
                # An encoder that ends several blocks at once doesn't end one after the other. Where there is
                # much to refine it does after a thousand bits, of which not all are zeros.
                if rest.symbol & 15 or rest.symbol == _LONG_RUN or rest.has_runs:
                    return False
                size += part.blocks * rest.length
        return size == 0 or MAX_ZEROS * 8 // size * steepest < _LEVELS
