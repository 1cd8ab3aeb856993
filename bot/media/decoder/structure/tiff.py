"""TIFF and BigTIFF: the first directory, which is the only one that is used.

https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf
"""

import mmap
from dataclasses import dataclass

from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

MAX_TIFF_ENTRIES = 500
MAX_VALUES = 200_000  # strips or tiles; a strip has a row or more
MAX_TILE_PIXELS = 4_194_304  # of a tile that is larger than the picture
_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
_INTEGERS = frozenset({1, 3, 4, 16})
_WIDTH, _HEIGHT, _BITS, _SAMPLES, _ROWS, _PLANES = 256, 257, 258, 277, 278, 284
_STRIP_BYTES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_BYTES = 279, 322, 323, 325
_UNCOMPRESSED, _COMPRESSION = 1, 259


def read(data: mmap.mmap) -> Structure:
    """Find the size, and what a strip or tile takes while it is decoded."""
    directory = _Directory(data)
    width, height = directory.value(_WIDTH, 0), directory.value(_HEIGHT, 0)
    lengths = directory.values(_STRIP_BYTES) + directory.values(_TILE_BYTES)
    if sum(lengths) > 2 * len(data):
        raise NotAPhoto  # the same bytes are to be decoded again and again
    depths = directory.values(_BITS) or [1]
    samples = max(directory.value(_SAMPLES, 1), len(depths))
    if max(depths) > 64 or samples > 8:
        raise NotAPhoto
    bits = max(depths) * (samples if directory.value(_PLANES, 1) == 1 else 1)
    pixels = width * height
    if directory.value(_COMPRESSION, _UNCOMPRESSED) == _UNCOMPRESSED:
        piece, is_whole = 0, pixels * max(depths) * samples // 8 <= len(data)
    else:
        is_whole = True
        piece = _pixels_of_piece(directory, width, height) * (bits + 7) // 8
    wide = samples == 1 and max(depths) > 8
    held = pixels * (4 if samples > 1 or max(depths) > 16 else 2 if wide else 1)
    opened = held + piece
    converted = max(opened, held + pixels * (1 if wide else 4))
    return Structure(width, height, opened, opened, converted, is_whole)


def _pixels_of_piece(directory: "_Directory", width: int, height: int) -> int:
    across, down = directory.value(_TILE_WIDTH, 0), directory.value(_TILE_HEIGHT, 0)
    if not across and not down:
        return width * min(height, directory.value(_ROWS, height))
    if across * down > max(MAX_TILE_PIXELS, width * height):
        raise NotAPhoto
    return across * down


@dataclass(frozen=True)
class _IfdEntry:
    kind: int
    count: int
    place: int


class _Directory:
    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._little = data[:2] == b"II"
        self._is_big = self._number(2, 2) == 43
        self._entries = self._read()

    def values(self, tag: int) -> list[int]:
        """Return the integers of a tag, none if it is missing."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS:
            return []
        if entry.count > MAX_VALUES:
            raise NotAPhoto
        size = _SIZES[entry.kind]
        content = self._data[entry.place : entry.place + size * entry.count]
        if len(content) < size * entry.count:
            raise Broken
        order = "little" if self._little else "big"
        return [int.from_bytes(content[at : at + size], order) for at in range(0, len(content), size)]

    def value(self, tag: int, otherwise: int) -> int:
        """Return the first integer of a tag, or `otherwise`."""
        return (self.values(tag) or [otherwise])[0]

    def _read(self) -> dict[int, _IfdEntry]:
        offset, count_size, entry_size = (8, 8, 20) if self._is_big else (4, 2, 12)
        word = offset
        start = self._number(offset, word)
        count = self._number(start, count_size)
        if count > MAX_TIFF_ENTRIES:
            raise NotAPhoto
        entries: dict[int, _IfdEntry] = {}
        total = 0
        for index in range(count):
            at = start + count_size + index * entry_size
            tag, kind, length = self._number(at, 2), self._number(at + 2, 2), self._number(at + 4, word)
            size = _SIZES.get(kind, 0) * length
            total += size
            inside = at + 4 + word
            entries[tag] = _IfdEntry(kind, length, inside if size <= word else self._number(inside, word))
        if total > 2 * len(self._data) + 4096:
            raise NotAPhoto  # Pillow would read the same bytes again and again
        return entries

    def _number(self, start: int, size: int) -> int:
        return unsigned(self._data, start, size, little=self._little)
