"""HEIC and AVIF: boxes (ISO 14496-12, ISO 23008-12), and the real size of every coded picture in them.

A box declares a picture's size, and the coded data has one of its own, which is what the decoder allocates.
"""

import mmap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.media.decoder.structure import av1, hevc
from bot.media.decoder.structure.facts import Broken, NotAPhoto, Structure, number

MAX_STEPS = 100_000  # boxes, places of data, properties and references: a photo has some hundred
MAX_ITEMS = 5_000
MAX_SLACK_PIXELS = (
    128  # by how many pixels a side's coded size may exceed the declared one: it is padded to blocks
)
MAX_TRAILING_ZEROS = (
    1_024  # at the end of a picture, and one for each 256 pixels in AV1: an even one ends in none
)
DEEPEST = 4
_SEQUENCE_SAMPLES = (b"av01", b"hvc1", b"hev1")
_BESIDE = 1.0  # bytes a pixel that the decoders keep, measured
_TURNING = frozenset({b"irot", b"clap"})
_PIXELS_TWICE = 8  # bytes a pixel: the picture, and a copy that is turned or has other colours
_ALPHA = (b"alpha", b"hevc:2015:auxid:1")

Box = tuple[bytes, int, int]
"""Type, and where the content starts and ends."""


@dataclass
class _Item:
    kind: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    properties: list[Box] = field(default_factory=list[Box])


@dataclass(frozen=True)
class _Picture:
    """Size as declared, and bytes a pixel: of the planes, and the most while they are decoded."""

    width: int
    height: int
    planes: float
    decoded: float


def read(data: mmap.mmap, *, is_native: bool, turns_planes: bool) -> Structure:
    """Find the picture that a decoder would show, and check all that it is made of.

    `is_native`: its rows are converted a few at a time. `turns_planes`: it is turned and cut before.
    """
    return _File(data, turns_planes=turns_planes).structure(is_native=is_native)


class _File:
    def __init__(self, data: mmap.mmap, *, turns_planes: bool) -> None:
        self._turns_planes = turns_planes
        self._data = data
        self._steps_left = MAX_STEPS
        self._bytes_left = 4 * len(data)
        self._items: dict[int, _Item] = defaultdict(_Item)
        self._references: dict[tuple[bytes, int], list[int]] = {}
        self._pieces_left = MAX_ITEMS
        self._primary = 0
        self._has_meta = False
        self._moov: Box | None = None
        self._idat: Box | None = None
        for box in self._boxes(0, len(data)):
            if box[0] == b"meta" and not self._has_meta:
                self._has_meta = True
                self._meta(box)
            elif box[0] == b"moov":
                self._moov = box

    def structure(self, *, is_native: bool) -> Structure:
        """Return the larger of the still picture and of the tracks' pictures, as either may be decoded."""
        pictures = list(self._sequence()) if self._moov is not None else []
        alphas = list(
            pictures
        )  # a track of transparency is not looked for; it has no more planes than the other
        if self._has_meta and self._primary:
            pictures.append(self._picture(self._primary, 0))
            alphas += [self._picture(item_id, 0) for item_id in self._alphas()]
        if not pictures:
            raise Broken
        largest = max(pictures, key=lambda picture: picture.width * picture.height)
        pixels = largest.width * largest.height
        planes, decoded = (
            max(picture.planes for picture in pictures),
            max(picture.decoded for picture in pictures),
        )
        # The transparency is decoded when the planes of the picture are there.
        checked = max([decoded, *(planes + alpha.decoded for alpha in alphas)])
        if is_native:
            opened = max(checked, _PIXELS_TWICE)
        else:  # the pixels made of the planes are copied before these are given back
            checked = opened = checked + 2 * (4 if alphas else 3)
        size = largest.width, largest.height
        return Structure(*size, int(pixels * checked), int(pixels * opened), int(pixels * opened))

    def _alphas(self) -> Iterator[int]:
        """Return the items that hold the primary one's transparency."""
        for (kind, source), targets in self._references.items():
            if kind == b"auxl" and self._primary in targets:
                names = [
                    self._data[start:end]
                    for name, start, end in self._items[source].properties
                    if name == b"auxC"
                ]
                if any(mark in name for name in names for mark in _ALPHA):
                    yield source

    def _spend(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise NotAPhoto

    def _boxes(self, at: int, end: int) -> Iterator[Box]:
        end = min(end, len(self._data))
        while at + 8 <= end:
            self._spend(1)
            size, kind, head = number(self._data, at, 4), self._data[at + 4 : at + 8], 8
            if size == 1:
                size, head = number(self._data, at + 8, 8), 16
            elif size == 0:
                size = end - at
            if size < head:
                raise Broken
            yield kind, at + head, min(at + size, end)
            at += size

    def _meta(self, meta: Box) -> None:
        found: dict[bytes, Box] = {}
        for box in self._boxes(meta[1] + 4, meta[2]):
            found.setdefault(box[0], box)
        readers = {
            b"pitm": self._read_primary,
            b"iinf": self._read_kinds,
            b"iloc": self._read_places,
            b"iprp": self._read_properties,
            b"iref": self._read_references,
        }
        self._idat = found.get(b"idat")
        for name, reader in readers.items():
            if name in found:
                reader(found[name])
        if len(self._items) > MAX_ITEMS:
            raise NotAPhoto
        if sum(self._held(item) for item in self._items.values()) > 4 * len(self._data):
            raise NotAPhoto  # Exif and XMP are read as well, and may all be the same bytes

    def _read_primary(self, box: Box) -> None:
        version = number(self._data, box[1], 1)
        self._primary = number(self._data, box[1] + 4, 2 if version == 0 else 4)

    def _read_kinds(self, box: Box) -> None:
        version = number(self._data, box[1], 1)
        for kind, start, _ in self._boxes(box[1] + (6 if version == 0 else 8), box[2]):
            if kind == b"infe":
                version = number(self._data, start, 1)
                size = 4 if version >= 3 else 2
                item = number(self._data, start + 4, size)
                self._items[item].kind = self._data[start + 6 + size : start + 10 + size]

    def _read_places(self, box: Box) -> None:
        data, at = self._data, box[1]
        version, sizes = number(data, at, 1), number(data, at + 4, 2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version in {1, 2} else 0
        wide = 4 if version == 2 else 2
        count, at = number(data, at + 6, wide), at + 6 + wide
        self._spend(count)
        for _ in range(count):
            item, at = number(data, at, wide), at + wide
            method = 0
            if version in {1, 2}:
                method, at = number(data, at, 2) & 15, at + 2
            at += 2
            base, at = number(data, at, base_size) if base_size else 0, at + base_size
            extents, at = number(data, at, 2), at + 2
            self._spend(extents)
            for _ in range(extents):
                at += index_size
                offset, at = number(data, at, offset_size) if offset_size else 0, at + offset_size
                length, at = number(data, at, length_size) if length_size else 0, at + length_size
                self._items[item].extents.append(self._place(method, base + offset, length))

    def _place(self, method: int, start: int, length: int) -> tuple[int, int]:
        if method == 1:
            if self._idat is None:
                raise Broken
            start += self._idat[1]
        elif method:
            raise NotAPhoto
        return start, start + length if length else len(self._data)

    def _read_properties(self, box: Box) -> None:
        properties: list[Box] = []
        for child in self._boxes(box[1], box[2]):
            if child[0] == b"ipco":
                properties = list(self._boxes(child[1], child[2]))
        for child in self._boxes(box[1], box[2]):
            if child[0] == b"ipma":
                self._associate(child, properties)

    def _associate(self, box: Box, properties: list[Box]) -> None:
        data, at = self._data, box[1]
        wide, long = (4 if number(data, at, 1) else 2), number(data, at + 3, 1) & 1
        count, at = number(data, at + 4, 4), at + 8
        self._spend(count)
        for _ in range(count):
            item, at = number(data, at, wide), at + wide
            associations, at = number(data, at, 1), at + 1
            self._spend(associations)
            for _ in range(associations):
                index = number(data, at, 1 + long) & (0x7FFF if long else 0x7F)
                at += 1 + long
                if 0 < index <= len(properties):
                    self._items[item].properties.append(properties[index - 1])

    def _read_references(self, box: Box) -> None:
        data = self._data
        wide = 4 if number(data, box[1], 1) else 2
        for kind, start, _ in self._boxes(box[1] + 4, box[2]):
            source, count = number(data, start, wide), number(data, start + wide, 2)
            self._spend(count)
            places = (start + wide + 2 + index * wide for index in range(count))
            self._references.setdefault((kind, source), []).extend(number(data, at, wide) for at in places)

    def _picture(self, item_id: int, depth: int) -> _Picture:
        """Check an item and all that it is made of, and return its size."""
        self._pieces_left -= 1
        if depth > DEEPEST or self._pieces_left < 0:
            raise NotAPhoto
        item = self._items[item_id]
        parts = self._references.get((b"dimg", item_id), [])
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

    def _declared(self, item: _Item) -> tuple[int, int]:
        for name, start, _ in item.properties:
            if name == b"ispe":
                return number(self._data, start + 4, 4), number(self._data, start + 8, 4)
        raise Broken

    def _coded(self, item: _Item) -> _Picture:
        width, height = self._declared(item)
        content = self._content(item)
        most_zeros = MAX_TRAILING_ZEROS + (width * height // 256 if item.kind == b"av01" else 0)
        if content.endswith(bytes(min(most_zeros, len(content) + 1))):
            raise Broken  # the end of the file never arrived; HEVC has no three zeros in a row
        found, planes, decoded = self._sizes(item.kind, item.properties, content)
        if any(real[0] > width + MAX_SLACK_PIXELS or real[1] > height + MAX_SLACK_PIXELS for real in found):
            raise NotAPhoto
        return _Picture(width, height, planes, decoded)

    def _content(self, item: _Item) -> bytes:
        self._bytes_left -= self._held(item)
        if self._bytes_left < 0:
            raise NotAPhoto  # the same bytes are to be decoded again and again
        return b"".join(self._data[start:end] for start, end in item.extents)

    def _held(self, item: _Item) -> int:
        return sum(max(0, min(end, len(self._data)) - start) for start, end in item.extents)

    def _sizes(
        self, kind: bytes, properties: list[Box], content: bytes
    ) -> tuple[list[tuple[int, int]], float, float]:
        """Return the sizes of what is coded, what its planes take, and what decoding them takes."""
        settings = {name: self._data[start:end] for name, start, end in properties}
        if kind == b"av01":
            found = av1.sizes(content) + av1.sizes(settings.get(b"av1C", b"")[4:])
            planes = av1.bytes_per_pixel(settings.get(b"av1C", b""))
            return found, planes, planes + _BESIDE
        planes = hevc.bytes_per_pixel(settings.get(b"hvcC", b""))
        # libheif copies what the decoder made.
        return hevc.sizes(settings.get(b"hvcC", b""), content), planes, 2 * planes + _BESIDE

    def _grid(self, item: _Item, cells: list[_Picture]) -> _Picture:
        content = self._content(item)
        rows, columns = number(content, 2, 1) + 1, number(content, 3, 1) + 1
        size = 4 if number(content, 1, 1) & 1 else 2
        width, height = number(content, 4, size), number(content, 4 + size, size)
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
        if self._moov is None:
            return
        for box in self._inner(self._moov, b"trak"):
            for path in self._inner(box, b"mdia", b"minf", b"stbl", b"stsd"):
                for kind, start, end in self._boxes(path[1] + 8, path[2]):
                    if kind in _SEQUENCE_SAMPLES:
                        yield self._sample(kind, start, end)

    def _sample(self, kind: bytes, start: int, end: int) -> _Picture:
        width, height = number(self._data, start + 24, 2), number(self._data, start + 26, 2)
        found, planes, decoded = self._sizes(kind, list(self._boxes(start + 78, end)), b"")
        if any(real[0] > width + MAX_SLACK_PIXELS or real[1] > height + MAX_SLACK_PIXELS for real in found):
            raise NotAPhoto
        return _Picture(width, height, planes, decoded)

    def _inner(self, box: Box, *path: bytes) -> Iterator[Box]:
        for child in self._boxes(box[1], box[2]):
            if child[0] == path[0]:
                if len(path) == 1:
                    yield child
                else:
                    yield from self._inner(child, *path[1:])
