"""The boxes of HEIC and AVIF (ISO 14496-12), and the items that a file lists in its `meta` box."""

import mmap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, unsigned

MAX_STEPS = 100_000  # boxes, places of data, properties and references: a photo has some hundred
MAX_ITEMS = 5_000
_ALPHA = (b"alpha", b"hevc:2015:auxid:1")

Box = tuple[bytes, int, int]
"""Type, and where the content starts and ends."""


@dataclass
class Item:
    """A picture, a part of one, or what belongs to it; `kind` says which."""

    kind: bytes = b""
    extents: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    properties: list[Box] = field(default_factory=list[Box])


class BoxFile:
    """A file of boxes. `items` are those of its first `meta` box, `primary` is the one to show.

    `references` are the items that an item names, by the kind of reference and its own number. All reading
    takes steps, of which there are some for any photo and too few for a file that is built to take long.
    """

    def __init__(self, data: mmap.mmap) -> None:
        self.items: dict[int, Item] = defaultdict(Item)
        self.references: dict[tuple[bytes, int], list[int]] = {}
        self.primary = 0
        self.has_meta = False
        self.moov: Box | None = None
        self._data = data
        self._steps_left = MAX_STEPS
        self._bytes_left = 4 * len(data)
        self._idat: Box | None = None
        for box in self.boxes(0, len(data)):
            if box[0] == b"meta" and not self.has_meta:
                self.has_meta = True
                self._meta(box)
            elif box[0] == b"moov":
                self.moov = box

    def _spend(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise NotAPhoto

    def boxes(self, at: int, end: int) -> Iterator[Box]:
        """Return the boxes between two places."""
        end = min(end, len(self._data))
        while at + 8 <= end:
            self._spend(1)
            size, kind, head = unsigned(self._data, at, 4), self._data[at + 4 : at + 8], 8
            if size == 1:
                size, head = unsigned(self._data, at + 8, 8), 16
            elif size == 0:
                size = end - at
            if size < head:
                raise Broken
            yield kind, at + head, min(at + size, end)
            at += size

    def inner(self, box: Box, *path: bytes) -> Iterator[Box]:
        """Return the boxes at that path of types within a box."""
        for child in self.boxes(box[1], box[2]):
            if child[0] == path[0]:
                if len(path) == 1:
                    yield child
                else:
                    yield from self.inner(child, *path[1:])

    def _meta(self, meta: Box) -> None:
        found: dict[bytes, Box] = {}
        for box in self.boxes(meta[1] + 4, meta[2]):
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
        if len(self.items) > MAX_ITEMS:
            raise NotAPhoto
        if sum(self.held(item) for item in self.items.values()) > 4 * len(self._data):
            raise NotAPhoto  # Exif and XMP are read as well, and may all be the same bytes

    def _read_primary(self, box: Box) -> None:
        version = unsigned(self._data, box[1], 1)
        self.primary = unsigned(self._data, box[1] + 4, 2 if version == 0 else 4)

    def _read_kinds(self, box: Box) -> None:
        version = unsigned(self._data, box[1], 1)
        for kind, start, _ in self.boxes(box[1] + (6 if version == 0 else 8), box[2]):
            if kind == b"infe":
                version = unsigned(self._data, start, 1)
                size = 4 if version >= 3 else 2
                item = unsigned(self._data, start + 4, size)
                self.items[item].kind = self._data[start + 6 + size : start + 10 + size]

    def _read_places(self, box: Box) -> None:
        data, at = self._data, box[1]
        version, sizes = unsigned(data, at, 1), unsigned(data, at + 4, 2)
        offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
        index_size = sizes & 15 if version in {1, 2} else 0
        wide = 4 if version == 2 else 2
        count, at = unsigned(data, at + 6, wide), at + 6 + wide
        self._spend(count)
        for _ in range(count):
            item, at = unsigned(data, at, wide), at + wide
            method = 0
            if version in {1, 2}:
                method, at = unsigned(data, at, 2) & 15, at + 2
            at += 2
            base, at = unsigned(data, at, base_size) if base_size else 0, at + base_size
            extents, at = unsigned(data, at, 2), at + 2
            self._spend(extents)
            for _ in range(extents):
                at += index_size
                offset, at = unsigned(data, at, offset_size) if offset_size else 0, at + offset_size
                length, at = unsigned(data, at, length_size) if length_size else 0, at + length_size
                self.items[item].extents.append(self._place(method, base + offset, length))

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
        for child in self.boxes(box[1], box[2]):
            if child[0] == b"ipco":
                properties = list(self.boxes(child[1], child[2]))
        for child in self.boxes(box[1], box[2]):
            if child[0] == b"ipma":
                self._associate(child, properties)

    def _associate(self, box: Box, properties: list[Box]) -> None:
        data, at = self._data, box[1]
        wide, long = (4 if unsigned(data, at, 1) else 2), unsigned(data, at + 3, 1) & 1
        count, at = unsigned(data, at + 4, 4), at + 8
        self._spend(count)
        for _ in range(count):
            item, at = unsigned(data, at, wide), at + wide
            associations, at = unsigned(data, at, 1), at + 1
            self._spend(associations)
            for _ in range(associations):
                index = unsigned(data, at, 1 + long) & (0x7FFF if long else 0x7F)
                at += 1 + long
                if 0 < index <= len(properties):
                    self.items[item].properties.append(properties[index - 1])

    def _read_references(self, box: Box) -> None:
        data = self._data
        wide = 4 if unsigned(data, box[1], 1) else 2
        for kind, start, _ in self.boxes(box[1] + 4, box[2]):
            source, count = unsigned(data, start, wide), unsigned(data, start + wide, 2)
            self._spend(count)
            places = (start + wide + 2 + index * wide for index in range(count))
            self.references.setdefault((kind, source), []).extend(unsigned(data, at, wide) for at in places)

    def content(self, item: Item) -> bytes:
        """Return the data of an item that is to be decoded."""
        self._bytes_left -= self.held(item)
        if self._bytes_left < 0:
            raise NotAPhoto  # the same bytes are to be decoded again and again
        return b"".join(self._data[start:end] for start, end in item.extents)

    def held(self, item: Item) -> int:
        return sum(max(0, min(end, len(self._data)) - start) for start, end in item.extents)


def alphas(data: mmap.mmap, file: BoxFile) -> Iterator[int]:
    """Return the items that hold the primary one's transparency."""
    for (kind, source), targets in file.references.items():
        if kind == b"auxl" and file.primary in targets:
            names = [data[start:end] for name, start, end in file.items[source].properties if name == b"auxC"]
            if any(mark in name for name in names for mark in _ALPHA):
                yield source
