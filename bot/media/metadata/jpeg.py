"""JPEG: segments, each with a marker, and entropy-coded data after each SOS.

ITU-T T.81, annex B; JFIF: ITU-T T.871; ICC: ICC.1:2022, annex B.4; C2PA: JUMBF in APP11, ISO 19566-5.
"""

import re
from dataclasses import dataclass, field

from bot.media.metadata.exif import EXIF_PREFIX
from bot.media.metadata.kept import KeptMetadata
from bot.media.metadata.pieces import BrokenStructure, FilePiece, PartCounter, Range, Source

_SOI, _EOI, _SOS, _TEM, _COM = 0xD8, 0xD9, 0xDA, 0x01, 0xFE
_APP0, _APP1, _APP2, _APP11, _APP14 = 0xE0, 0xE1, 0xE2, 0xEB, 0xEE
_RESTARTS = range(0xD0, 0xD8)
# Frames, tables and scans; JPG (C8), which no decoder takes, is not among them.
_CODING = frozenset({*range(0xC0, 0xC8), *range(0xC9, 0xD0), *range(0xDA, 0xE0)})
_APPLICATIONS = range(0xE0, 0xF0)
# Ends entropy-coded data. Stuffed zeros, restarts and reserved codes are part of it.
_END_OF_SCAN = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_MARKER = re.compile(rb"\xff[\x01-\xfe]")

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JFIF = b"JFIF\0"
_JFIF_SIZE = 14  # without a thumbnail
_ICC = b"ICC_PROFILE\0"
_ADOBE = b"Adobe"
_ADOBE_SIZE = 12
_JUMBF = b"JP"
_JUMBF_HEAD, _BOX_HEAD = 8, 8


@dataclass
class _JpegReading:
    """The state of reading a file. Ranges of the manifest store are held until its end is known."""

    source: Source
    findings: KeptMetadata = field(default_factory=KeptMetadata)
    pieces: list[FilePiece] = field(default_factory=list[FilePiece])
    store: set[Range] = field(default_factory=set[Range])
    metadata_at: int | None = None  # in `pieces`
    has_jfif: bool = False
    has_scan: bool = False


def pieces_of(source: Source) -> list[FilePiece]:
    """Return what the JPEG is made of without metadata. Raises `BrokenStructure`."""
    if source.read(0, 2) != bytes((0xFF, _SOI)):
        raise BrokenStructure("no start of image")
    reading, parts, at = _JpegReading(source, pieces=[Range(0, 2)]), PartCounter(), 2
    while True:
        parts.count()
        marker, start = _next_marker(source, at)
        at = start + 2
        if marker == _EOI:
            if not reading.has_scan:
                # Tables alone, which some decoders take for the beginning of the picture behind them.
                raise BrokenStructure("an end before the picture")
            reading.pieces.append(Range(start, at))
            return _composed(reading)
        if marker in _RESTARTS or marker == _TEM:
            continue  # outside of a scan they mean nothing
        end = at + int.from_bytes(source.read(at, 2))
        if end < at + 2 or end > source.size:
            raise BrokenStructure("a segment has no room for its length")
        _take(reading, marker, Range(start, end))
        at = end
        if marker == _SOS:
            at = _end_of_scan(source, end)
            reading.pieces.append(Range(end, at))
            reading.has_scan = True


def _take(reading: _JpegReading, marker: int, segment: Range) -> None:
    """Keep the segment, or what has to stay of it."""
    if marker in _CODING:
        reading.pieces.append(segment)
        return
    if marker not in _APPLICATIONS and marker != _COM:
        raise BrokenStructure("a segment of a kind that no decoder takes")
    data = reading.source.read(segment.start + 4, segment.end - segment.start - 4)
    if marker == _APP0:
        _take_jfif(reading, data)
    elif marker == _APP2 and data.startswith(_ICC):
        reading.pieces.append(segment)
    elif marker == _APP14 and data.startswith(_ADOBE) and len(data) >= _ADOBE_SIZE:
        reading.pieces.append(_segment(_APP14, data[:_ADOBE_SIZE]))
    elif marker == _APP11 and data.startswith(_JUMBF):
        # Each part after the first repeats the head of the box.
        is_first = int.from_bytes(data[4:8]) <= 1
        reading.findings.add_store(data[_JUMBF_HEAD + (0 if is_first else _BOX_HEAD) :])
        reading.store.add(segment)
        _note_place(reading)
        reading.pieces.append(segment)
    else:
        _drop(reading, marker, data)


def _drop(reading: _JpegReading, marker: int, data: bytes) -> None:
    """Note what has to stay of a segment that goes."""
    _note_place(reading)
    if marker == _APP1 and data.startswith(EXIF_PREFIX):
        reading.findings.add_exif(data)
    elif marker == _APP1 and data.startswith(_XMP):
        reading.findings.add_xmp(data.removeprefix(_XMP))
    else:
        reading.findings.add_marks(data)


def _note_place(reading: _JpegReading) -> None:
    """Note where the first metadata was found, as it is written again there."""
    if reading.metadata_at is None:
        reading.metadata_at = len(reading.pieces)


def _take_jfif(reading: _JpegReading, data: bytes) -> None:
    """Keep the first JFIF header, without its thumbnail; its extensions hold nothing but thumbnails."""
    if data.startswith(_JFIF) and len(data) >= _JFIF_SIZE and not reading.has_jfif:
        reading.has_jfif = True
        reading.pieces.append(_segment(_APP0, data[: _JFIF_SIZE - 2] + bytes(2)))


def _composed(reading: _JpegReading) -> list[FilePiece]:
    findings, at = reading.findings, reading.metadata_at or 0
    gone = set[FilePiece]() if findings.keeps_store() else reading.store
    written = b""
    if exif := findings.exif():
        written += _segment(_APP1, exif)
    if xmp := findings.xmp():
        written += _segment(_APP1, _XMP + xmp)
    pieces = (*reading.pieces[:at], written, *reading.pieces[at:])
    return [piece for piece in pieces if piece not in gone]


def _segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(data) + 2).to_bytes(2) + data


def _next_marker(source: Source, at: int) -> tuple[int, int]:
    """Return the next marker and where it is, as libjpeg finds it: stray bytes before it are passed over."""
    start = source.find(_MARKER, at)
    if start is None:
        raise BrokenStructure("no end of image")
    return source.read(start + 1, 1)[0], start


def _end_of_scan(source: Source, at: int) -> int:
    """Return where the marker after the entropy-coded data begins."""
    start = source.find(_END_OF_SCAN, at)
    if start is None:
        raise BrokenStructure("no end of image")
    return start
