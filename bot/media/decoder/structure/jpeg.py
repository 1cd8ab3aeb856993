"""JPEG: markers, up to the end of the image. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B."""

import mmap
import re
from dataclasses import dataclass, field

from bot.media.decoder.structure.huffman import MAX_ZEROS, ScanPart, Tables
from bot.media.decoder.structure.jpeg_levels import LevelScan
from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

MAX_SCANS = 100  # encoders write 10 to 20; each is a walk over the whole picture
MAX_SEGMENTS = 5_000  # of 64 kB each: a long colour profile or Content Credentials have some hundred
MAX_READ_SEGMENTS = 100  # of Exif data or Photoshop's: Pillow copies or takes apart all of it for each
MAX_TABLE_BYTES = 65_536  # of quantization tables: four before each scan take 50,000
REPEATED = 96  # bytes
MAX_PERIOD_BITS = 400  # bits: ten blocks, each with two codes of 16 bits and some more, take less
MAX_DOUBTS = 4  # each component has at most one such scan
_READ = b"Exif\0\0", b"Photoshop 3.0\0"
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # no stuffed byte and no restart
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_BASELINE = frozenset({0xC0, 0xC1})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_START, _END, _SCAN, _TABLES, _RESTARTS, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0x01
_HUFFMAN = 0xC4
_HUFFMAN_CODED = frozenset({0xC0, 0xC1, 0xC2})
_APPLICATIONS = range(0xE0, 0xF0)
_SIZES = (1, 2), (3, 2), (5, 1)  # height, width and components in a frame: where, and in how many bytes
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_COEFFICIENTS = 64  # of a block
_NEVER = 16  # more than the bits that a scan may leave to later ones


def read(data: mmap.mmap) -> Structure:
    """Count the scans and find the frame; scans after the end of the image don't count."""
    return _read(data)[0]


def ends_early(data: mmap.mmap) -> bool:
    """Return whether coded data is missing although the end of the image is marked.

    Decoders fill up with grey and say nothing. Missing data shows in the number of restart marks, or
    from how the data ends: that of an even area is one run of bits again and again. Call it only for a
    picture that ends in an even grey. Of a progressive one, `read` tells it from the scans.
    """
    structure, found = _read(data)
    if not structure.is_whole:
        return True
    if found.marker not in _BASELINE or found.scans != 1:
        return False
    if found.restart_interval:
        marks = sum(1 for _ in _RESTART.finditer(data, found.coded, found.end))
        return marks < -(-found.blocks(structure) // found.restart_interval) - 1
    # The last byte is padded. `REPEATED` bytes are less than that many blocks take at the least.
    coded = data[found.end - 2 * REPEATED : found.end].replace(b"\xff\x00", b"\xff")[-REPEATED - 1 : -1]
    bits, size = int.from_bytes(coded), len(coded) * 8
    return not any(bits >> period == bits & (1 << size - period) - 1 for period in range(1, MAX_PERIOD_BITS))


def lacks_levels(data: mmap.mmap) -> bool:
    """Return whether a scan of levels with many zeros has fewer or more blocks than the picture.

    Its zeros may be an even area. A decoder that comes upon too few or too many says nothing.
    """
    return not all(scan.is_whole(data) for scan in _read(data)[1].doubts)


@dataclass(slots=True)
class _Found:
    """The statements of the markers: the frame's, and how often each coefficient of a component has come.

    `coded` is where the coded data of the last scan starts, `end` where the end of the image is.
    """

    marker: int = 0
    frame: int = 0  # where its content starts; 0: there is none yet
    scans: int = 0
    restart_interval: int = 0
    components: list[tuple[int, tuple[int, int]]] = field(default_factory=list[tuple[int, tuple[int, int]]])
    lacking: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    coded: int = 0
    end: int = 0
    tables: Tables = field(default_factory=Tables)
    allows_zeros: bool = True  # in the last scan
    has_gap: bool = False  # a part of a scan never arrived
    units: int = 0  # of the last scan of levels
    level_parts: list[ScanPart] = field(default_factory=list[ScanPart])  # of the last scan, if it has no more
    doubts: list[LevelScan] = field(default_factory=list[LevelScan])

    def note(self, marker: int, data: mmap.mmap, at: int) -> None:
        """Note a segment, whose content is at `at`. Raises `Broken` for a second frame."""
        if marker in _FRAMES:
            if self.frame:
                raise Broken
            self.marker, self.frame = marker, at
            self.components = _components(data, at)
        elif marker == _SCAN:
            self._note_scan(data, at)
        elif marker == _RESTARTS:
            self.restart_interval = unsigned(data, at, 2)
        elif marker == _HUFFMAN:
            self.tables.note(data, at, at - 2 + unsigned(data, at - 2, 2))

    def note_coded(self, data: mmap.mmap, end: int) -> None:
        """Note the coded data of a scan, which ends there."""
        has_zeros = bool(self.scans) and data.find(bytes(MAX_ZEROS), self.coded, end) >= 0
        if has_zeros and not self.allows_zeros:
            self.has_gap = True
        elif has_zeros and self.level_parts and not self.restart_interval and len(self.doubts) < MAX_DOUBTS:
            tables = self.tables.levels(self.level_parts)
            if tables is not None:
                self.doubts.append(LevelScan(self.coded, end, self.units, tables))
        self.allows_zeros, self.level_parts = True, []

    def _note_scan(self, data: mmap.mmap, at: int) -> None:
        count = unsigned(data, at, 1)
        first, last, approximation = (unsigned(data, at + 1 + 2 * count + index, 1) for index in range(3))
        for index in range(count):
            lacking = self.lacking.setdefault(unsigned(data, at + 1 + 2 * index, 1), [_NEVER] * _COEFFICIENTS)
            for coefficient in range(first, min(last + 1, _COEFFICIENTS)):
                lacking[coefficient] = approximation & 15
        self.scans += 1
        if self.marker in _HUFFMAN_CODED:
            chosen = [(data[at + 1 + 2 * index], data[at + 2 + 2 * index]) for index in range(count)]
            parts = [
                ScanPart(across * down if count > 1 else 1, tables >> 4, tables & 15)
                for component, tables in chosen
                for across, down in [dict(self.components).get(component, (1, 1))]
            ]
            self.allows_zeros = self.tables.allow_zeros(parts, first, last, refines=approximation > 15)
            if self.marker in _PROGRESSIVE and first == last == 0 and approximation < 16:
                self.level_parts = parts
                self.units = _units(data, self.frame, self.components, [name for name, _ in chosen])

    def is_complete(self) -> bool:
        """Return whether every coefficient of every component has come, to its last bit."""
        lacking = [self.lacking.get(component, [_NEVER]) for component, _ in self.components]
        return not any(bits for component in lacking for bits in component)

    def blocks(self, structure: Structure) -> int:
        """Return the number of units that the only scan is coded in."""
        across, down = 8, 8
        if len(self.components) > 1:  # one component alone has no units of several blocks
            across *= max(factor[0] for _, factor in self.components)
            down *= max(factor[1] for _, factor in self.components)
        return -(-structure.width // across) * -(-structure.height // down)


def _read(data: mmap.mmap) -> tuple[Structure, _Found]:
    found = _Found()
    segments = read_segments = tables = 0
    at = 2
    while (match := _MARKER.search(data, at)) is not None:
        marker, at = match[1][0], match.end()
        found.note_coded(data, match.start())
        if marker == _END:
            found.end = at - 2
            break
        if marker == _TEMPORARY:
            continue
        if marker == _START:
            raise Broken
        length = unsigned(data, at, 2)
        found.note(marker, data, at + 2)
        segments += 1
        read_segments += marker in _APPLICATIONS and data[at + 2 : at + 16].startswith(_READ)
        tables += length if marker == _TABLES else 0
        if found.scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise NotAPhoto
        if read_segments > MAX_READ_SEGMENTS or tables > MAX_TABLE_BYTES:
            raise NotAPhoto
        at += max(length, 2)
        found.coded = at if marker == _SCAN else found.coded
    if not found.frame or not found.scans:
        raise Broken
    return _structure(data, found), found


def _components(data: mmap.mmap, at: int) -> list[tuple[int, tuple[int, int]]]:
    """Return the components of a frame: the name, and how many blocks across and down it has in a unit."""
    count = unsigned(data, at + 5, 1)
    if not 1 <= count <= 4:
        raise Broken
    places = [at + 6 + 3 * index for index in range(count)]
    factors = [divmod(unsigned(data, place + 1, 1), 16) for place in places]
    if not all(across and down for across, down in factors):
        raise Broken
    return [(unsigned(data, place, 1), factor) for place, factor in zip(places, factors, strict=True)]


def _units(
    data: mmap.mmap, frame: int, components: list[tuple[int, tuple[int, int]]], chosen: list[int]
) -> int:
    """Return how many units a scan of these components has: of one alone, its blocks."""
    height, width = (unsigned(data, frame + place, size) for place, size in _SIZES[:2])
    widest, highest = (max(factor[side] for _, factor in components) for side in (0, 1))
    if len(chosen) > 1:
        return -(-width // (8 * widest)) * -(-height // (8 * highest))
    across, down = dict(components).get(chosen[0], (1, 1))
    columns, rows = -(-width * across // widest), -(-height * down // highest)
    return -(-columns // 8) * -(-rows // 8)


def _structure(data: mmap.mmap, found: _Found) -> Structure:
    height, width, components = (unsigned(data, found.frame + place, size) for place, size in _SIZES)
    factors = [factor for _, factor in found.components]
    widest, highest = max(factor[0] for factor in factors), max(factor[1] for factor in factors)
    # All coefficients, of two bytes each, are kept from the first scan to the last.
    whole = width * height * 2 * sum(across * down for across, down in factors) // (widest * highest)
    kept = whole if found.marker in _PROGRESSIVE or found.scans > 1 else 0
    pixels = width * height
    opened = kept + pixels * (1 if components == 1 else 4)
    # Decoding at an eighth of the size looks at all of the data.
    converted = opened + (pixels * 4 if components == 4 else 0)
    # A scan that is missing leaves a coarser picture, and no decoder says so.
    is_whole = (
        found.end > 0 and not found.has_gap and (found.marker not in _PROGRESSIVE or found.is_complete())
    )
    return Structure(width, height, kept + pixels // 8, opened, converted, is_whole)
