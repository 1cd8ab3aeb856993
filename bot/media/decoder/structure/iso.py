"""HEIC and AVIF (ISO 23008-12): the real size of every coded picture in the file.

A box declares a picture's size, and the coded data has one of its own, which is what the decoder allocates.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.media.decoder.structure import av1, hevc
from bot.media.decoder.structure.boxes import MAX_ITEMS, Box, BoxFile, Item, alphas
from bot.media.decoder.structure.heic_in_one_piece import single_items
from bot.media.decoder.structure.heic_turns import turns
from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

# By how many pixels a side's coded size may exceed the declared one: it is padded to blocks.
MAX_SLACK_PIXELS = 128
# At the end of a picture, and one for each 256 pixels in AV1. An even one ends in none.
MAX_TRAILING_ZEROS = 1_024
DEEPEST = 4
_SEQUENCE_SAMPLES = (b"av01", b"hvc1", b"hev1")
_BESIDE = 1.0  # bytes a pixel that the decoders keep, measured
_TURNING = frozenset({b"irot", b"clap"})  # by libheif, in a copy
_PIXELS_TWICE = 8  # bytes a pixel: the picture, and a copy that is turned or has other colours


@dataclass(frozen=True)
class _Picture:
    """Size as declared, and bytes a pixel: of the planes, and the most while they are decoded."""

    width: int
    height: int
    planes: float
    decoded: float


def read(data: mmap.mmap, *, is_native: bool, turns_planes: bool, is_direct: bool = False) -> Structure:
    """Find the picture that a decoder would show, and check all that it is made of.

    `is_native`: its rows are converted a few at a time. `turns_planes`: it may be turned and cut before, by
    the library. `is_direct`: HEVC in one piece is decoded without that library.
    """
    return _Pictures(data, is_native=is_native, turns_planes=turns_planes, is_direct=is_direct).structure()


class _Pictures:
    def __init__(self, data: mmap.mmap, *, is_native: bool, turns_planes: bool, is_direct: bool) -> None:
        self._is_native = is_native
        self._data = data
        self._file = BoxFile(data)
        self._pieces_left = MAX_ITEMS
        # libheif copies what the decoder made, and what it turns.
        self._is_copied = not (is_direct and single_items(data, self._file))
        self._turns_planes = turns_planes and not (is_native and turns(data, self._file) is not None)

    def structure(self) -> Structure:
        """Return the larger of the still picture and of the tracks' pictures, as either may be decoded."""
        pictures = list(self._sequence()) if self._file.moov is not None else []
        # A track of transparency is not looked for; it has no more planes than the other.
        transparent = list(pictures)
        if self._file.has_meta and self._file.primary:
            pictures.append(self._picture(self._file.primary, 0))
            transparent += [self._picture(item_id, 0) for item_id in alphas(self._data, self._file)]
        if not pictures:
            raise Broken
        largest = max(pictures, key=lambda picture: picture.width * picture.height)
        pixels = largest.width * largest.height
        planes = max(picture.planes for picture in pictures)
        decoded = max(picture.decoded for picture in pictures)
        # The transparency is decoded when the planes of the picture are there.
        checked = max([decoded, *(planes + alpha.decoded for alpha in transparent)])
        if self._is_native:
            opened = max(checked, _PIXELS_TWICE)
        else:  # the pixels made of the planes are copied before these are given back
            checked = opened = checked + 2 * (4 if transparent else 3)
        size = largest.width, largest.height
        return Structure(*size, int(pixels * checked), int(pixels * opened), int(pixels * opened))

    def _picture(self, item_id: int, depth: int) -> _Picture:
        """Check an item and all that it is made of, and return its size."""
        self._pieces_left -= 1
        if depth > DEEPEST or self._pieces_left < 0:
            raise NotAPhoto
        item = self._file.items[item_id]
        parts = self._file.references.get((b"dimg", item_id), [])
        if item.kind in {b"av01", b"hvc1", b"hev1"}:
            found = self._coded(item)
        elif item.kind == b"iden" and len(parts) == 1:
            found = self._picture(parts[0], depth + 1)
        elif item.kind == b"grid":
            found = self._grid(item, [self._picture(part, depth + 1) for part in parts])
        else:
            raise NotAPhoto if item.kind else Broken
        if self._turns_planes and any(name in _TURNING for name, _, _ in item.properties):
            return replace(found, decoded=max(found.decoded, 2 * found.planes))  # what is turned is copied
        return found

    def _declared(self, item: Item) -> tuple[int, int]:
        for name, start, _ in item.properties:
            if name == b"ispe":
                return unsigned(self._data, start + 4, 4), unsigned(self._data, start + 8, 4)
        raise Broken

    def _coded(self, item: Item) -> _Picture:
        width, height = self._declared(item)
        content = self._file.content(item)
        most_zeros = MAX_TRAILING_ZEROS + (width * height // 256 if item.kind == b"av01" else 0)
        if content.endswith(bytes(min(most_zeros, len(content) + 1))):
            raise Broken  # the end of the file never arrived; HEVC has no three zeros in a row
        return self._of_size((width, height), item.kind, item.properties, content)

    def _of_size(
        self, declared: tuple[int, int], kind: bytes, properties: list[Box], content: bytes
    ) -> _Picture:
        """Return a coded picture of that size. Raises `NotAPhoto` if what is coded is larger."""
        width, height = declared
        settings = {name: self._data[start:end] for name, start, end in properties}
        if kind == b"av01":
            found = av1.sizes(content) + av1.sizes(settings.get(b"av1C", b"")[4:])
            planes = av1.bytes_per_pixel(settings.get(b"av1C", b""))
            decoded = planes + _BESIDE
        else:
            found = hevc.sizes(settings.get(b"hvcC", b""), content)
            planes = hevc.bytes_per_pixel(settings.get(b"hvcC", b""))
            decoded = (2 if self._is_copied else 1) * planes + _BESIDE
        if any(real[0] > width + MAX_SLACK_PIXELS or real[1] > height + MAX_SLACK_PIXELS for real in found):
            raise NotAPhoto
        return _Picture(width, height, planes, decoded)

    def _grid(self, item: Item, cells: list[_Picture]) -> _Picture:
        content = self._file.content(item)
        rows, columns = unsigned(content, 2, 1) + 1, unsigned(content, 3, 1) + 1
        size = 4 if unsigned(content, 1, 1) & 1 else 2
        width, height = unsigned(content, 4, size), unsigned(content, 4 + size, size)
        if not cells or rows * columns != len(cells):
            raise Broken
        widest, highest = max(cell.width for cell in cells), max(cell.height for cell in cells)
        if (columns - 1) * widest >= width + widest or (rows - 1) * highest >= height + highest:
            raise NotAPhoto  # cells beyond the picture's edge
        if columns * widest < width or rows * highest < height:
            raise Broken
        planes = max(cell.planes for cell in cells)
        return _Picture(width, height, planes, planes + _BESIDE)

    def _sequence(self) -> Iterator[_Picture]:
        """Return the sizes that the tracks of a moving picture declare."""
        if self._file.moov is None:
            return
        for box in self._file.inner(self._file.moov, b"trak"):
            for path in self._file.inner(box, b"mdia", b"minf", b"stbl", b"stsd"):
                for kind, start, end in self._file.boxes(path[1] + 8, path[2]):
                    if kind in _SEQUENCE_SAMPLES:
                        yield self._sample(kind, start, end)

    def _sample(self, kind: bytes, start: int, end: int) -> _Picture:
        width, height = unsigned(self._data, start + 24, 2), unsigned(self._data, start + 26, 2)
        return self._of_size((width, height), kind, list(self._file.boxes(start + 78, end)), b"")
