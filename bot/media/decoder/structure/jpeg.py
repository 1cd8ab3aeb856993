"""JPEG: markers, up to the end of the image. https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B."""

import mmap
import re

from bot.media.decoder.structure.facts import Broken, NotAPhoto, Structure, number

MAX_SCANS = 100  # encoders write 10 to 20; each is a walk over the whole picture
MAX_SEGMENTS = 5_000  # of 64 kB each: a long colour profile or Content Credentials have some hundred
MAX_READ_SEGMENTS = 100  # of Exif data or Photoshop's: Pillow copies or takes apart all of it for each
MOST_TABLES = 65_536  # bytes of quantization tables: four before each scan take 50,000
REPEATED = 96  # bytes
LONGEST_PERIOD = 400  # bits: ten blocks, each with two codes of 16 bits and some more, take less
_READ = b"Exif\0\0", b"Photoshop 3.0\0"
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")  # no stuffed byte and no restart
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_BASELINE = frozenset({0xC0, 0xC1})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_START, _END, _SCAN, _TABLES, _RESTARTS, _TEMPORARY = 0xD8, 0xD9, 0xDA, 0xDB, 0xDD, 0x01
_APPLICATIONS = range(0xE0, 0xF0)


def read(data: mmap.mmap) -> Structure:
    """Count the scans and find the frame; scans behind the end of the image are nobody's concern."""
    return _read(data)[0]


def ends_in_repetition(data: mmap.mmap) -> bool | None:
    """Whether the coded data ends as that of an even area does: one run of bits again and again.

    None if that can't be told: only a baseline picture in a single scan without restarts is one piece.
    """
    structure, marker, scans, has_restarts, end = _read(data)
    if not structure.is_whole or marker not in _BASELINE or scans != 1 or has_restarts:
        return None
    # The last byte is padded. `REPEATED` bytes are less than that many blocks take at the least.
    coded = data[end - 2 * REPEATED : end].replace(b"\xff\x00", b"\xff")[-REPEATED - 1 : -1]
    bits, size = int.from_bytes(coded), len(coded) * 8
    return any(bits >> period == bits & (1 << size - period) - 1 for period in range(1, LONGEST_PERIOD))


def _read(data: mmap.mmap) -> tuple[Structure, int, int, bool, int]:
    """Return the structure, the frame's marker, the number of scans, whether there are restarts, and where
    the end of the image is."""
    frame: tuple[int, int] | None = None  # marker, and where its content starts
    scans = segments = read_segments = tables = 0
    has_restarts = False
    end, at = 0, 2
    while (found := _MARKER.search(data, at)) is not None:
        marker, at = found[1][0], found.end()
        if marker == _END:
            end = at - 2
            break
        if marker == _TEMPORARY:
            continue
        if marker == _START:
            raise Broken
        length = number(data, at, 2)
        if marker in _FRAMES:
            if frame is not None:
                raise Broken
            frame = (marker, at + 2)
        scans += marker == _SCAN
        has_restarts |= marker == _RESTARTS and number(data, at + 2, 2) > 0
        segments += 1
        read_segments += marker in _APPLICATIONS and data[at + 2 : at + 16].startswith(_READ)
        tables += length if marker == _TABLES else 0
        if scans > MAX_SCANS or segments > MAX_SEGMENTS:
            raise NotAPhoto
        if read_segments > MAX_READ_SEGMENTS or tables > MOST_TABLES:
            raise NotAPhoto
        at += max(length, 2)
    if frame is None or not scans:
        raise Broken
    structure = _structure(data, *frame, scans, is_whole=end > 0)
    return structure, frame[0], scans, has_restarts, end


def _structure(data: mmap.mmap, marker: int, at: int, scans: int, *, is_whole: bool) -> Structure:
    height, width, components = number(data, at + 1, 2), number(data, at + 3, 2), number(data, at + 5, 1)
    if not 1 <= components <= 4:
        raise Broken
    factors = [divmod(number(data, at + 7 + 3 * index, 1), 16) for index in range(components)]
    widest, highest = max(factor[0] for factor in factors), max(factor[1] for factor in factors)
    if not all(across and down for across, down in factors):
        raise Broken
    # All coefficients, of two bytes each, are kept from the first scan to the last.
    whole = width * height * 2 * sum(across * down for across, down in factors) // (widest * highest)
    kept = whole if marker in _PROGRESSIVE or scans > 1 else 0
    pixels = width * height
    opened = kept + pixels * (1 if components == 1 else 4)
    # Decoding at an eighth of the size looks at all of the data.
    converted = opened + (pixels * 4 if components == 4 else 0)
    return Structure(width, height, kept + pixels // 8, opened, converted, is_whole)
