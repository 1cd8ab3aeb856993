"""WebP: the canvas and the first frame. https://developers.google.com/speed/webp/docs/riff_container"""

import math
import mmap
from collections.abc import Iterator
from dataclasses import dataclass

from bot.media.decoder.libwebp import LIBWEBP
from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

MAX_WEBP_CHUNKS = 20_000
MAX_WEBP_SIDE = 16_383
_FRAME_HEADER, _ALPHA_FLAG = 16, 0x10
_LOSSY_START, _LOSSLESS_START = b"\x9d\x01\x2a", b"\x2f"
# A picture of one colour ends in 0.02 bytes of zeros for each macroblock of 16 by 16 pixels, or in none.
MAX_ZEROS_LOSSY, MAX_ZEROS_LOSSLESS = 1 / 256, 1 / 4  # bytes a pixel
_MIN_ZEROS = 1_024
_ZEROS = {b"VP8 ": MAX_ZEROS_LOSSY, b"VP8L": MAX_ZEROS_LOSSLESS}
# Bytes a pixel, measured: the planes, and what libwebp decodes an alpha channel or a lossless picture into.
# Pillow decodes into two canvases, and copies one.
_WITH_PILLOW = 12
_CHECKED_LOSSY, _CHECKED_WITH_ALPHA, _CHECKED_LOSSLESS = 2, 7, 6
_OPENED_LOSSY, _OPENED_WITH_ALPHA, _OPENED_LOSSLESS = 5, 10, 8
# Decoding in halves takes half as long again.
_MAX_WHOLE_PIXELS, _OPENED_IN_HALVES = 40_000_000, 8


@dataclass(frozen=True)
class Picture:
    """A still picture, or the first frame of an animation, and where its parts are in the file.

    `data` is what libwebp decodes, into `place` on the canvas.
    """

    canvas: tuple[int, int]
    size: tuple[int, int]
    place: tuple[int, int]
    has_alpha: bool
    data: slice
    profile: slice | None
    exif: slice | None
    is_lossless: bool

    @property
    def is_decoded_in_halves(self) -> bool:
        """Return whether its canvas takes too much memory beside what its transparency is decoded into."""
        return self.has_alpha and not self.is_lossless and math.prod(self.canvas) > _MAX_WHOLE_PIXELS


def read(data: mmap.mmap) -> Structure:
    """Read the canvas, which is what is decoded into. A frame that does not fit in it is refused."""
    canvas: tuple[int, int] | None = None
    frame: tuple[int, int] | None = None
    is_whole = True
    for name, start, length in _chunks(data):
        if name == b"VP8X" and canvas is None:
            canvas = (
                unsigned(data, start + 4, 3, little=True) + 1,
                unsigned(data, start + 7, 3, little=True) + 1,
            )
        elif name == b"ANMF":
            width, height = (unsigned(data, start + place, 3, little=True) + 1 for place in (6, 9))
            left, top = (unsigned(data, start + place, 3, little=True) * 2 for place in (0, 3))
            inner = data[start + 16 : start + 20], start + 24
            frame = _larger(frame, (left + width, top + height), _inside(data, inner))
        else:
            frame = _larger(frame, _inside(data, (name, start)))
        if name in _ZEROS:
            most = _MIN_ZEROS + int(math.prod(_inside(data, (name, start)) or (0, 0)) * _ZEROS[name])
            is_whole &= not (length > most and data[start + length - most : start + length] == bytes(most))
    if frame is None:
        raise Broken
    width, height = canvas or frame
    if frame[0] > width or frame[1] > height or max(width, height) > MAX_WEBP_SIDE:
        raise Broken
    checked, opened = (width * height * each for each in _bytes_per_pixel(data, width * height))
    return Structure(width, height, checked, opened, opened, is_whole)


def picture_in(data: "mmap.mmap | bytes") -> Picture:
    """Return the still picture or the first frame in the file. Raises `Broken` if there is none."""
    places: dict[bytes, slice] = {}
    for name, start, length in _chunks(data):
        places.setdefault(name, slice(start, min(start + length, len(data))))
    profile, exif = places.get(b"ICCP"), places.get(b"EXIF")
    if b"ANMF" in places and b"VP8X" in places:
        return _first_frame(data, places[b"VP8X"].start, places[b"ANMF"], profile, exif)
    for name in (b"VP8 ", b"VP8L"):
        if name not in places:
            continue
        start: int = places[name].start
        size = _inside(data, (name, start))
        if size is not None:
            has_alpha = b"ALPH" in places if name == b"VP8 " else data[start + 4] & 0x10 != 0
            whole = slice(0, len(data))
            return Picture(size, size, (0, 0), has_alpha, whole, profile, exif, name == b"VP8L")
    raise Broken


def _first_frame(
    data: "mmap.mmap | bytes", canvas: int, frame: slice, profile: slice | None, exif: slice | None
) -> Picture:
    start, end = frame.start + _FRAME_HEADER, frame.stop
    left, top, width, height = (unsigned(data, frame.start + place, 3, little=True) for place in (0, 3, 6, 9))
    size, place = (width + 1, height + 1), (left * 2, top * 2)
    across, down = (unsigned(data, canvas + offset, 3, little=True) + 1 for offset in (4, 7))
    inside = [(name, _inside(data, (name, at))) for name, at, _ in _chunks_between(data, start, end)]
    coded = {name: found for name, found in inside if found is not None}
    if sum(found is not None for _, found in inside) != 1 or size not in coded.values():
        raise Broken
    if place[0] + size[0] > across or place[1] + size[1] > down:
        raise Broken
    has_alpha = unsigned(data, canvas, 1) & _ALPHA_FLAG != 0
    coding = slice(start, end)
    return Picture((across, down), size, place, has_alpha, coding, profile, exif, b"VP8L" in coded)


def _chunks(data: "mmap.mmap | bytes") -> Iterator[tuple[bytes, int, int]]:
    """Return the name, the place and the length of each chunk. Raises `NotAPhoto` if there are too many."""
    yield from _chunks_between(data, 12, min(len(data), unsigned(data, 4, 4, little=True) + 8))


def _chunks_between(data: "mmap.mmap | bytes", at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    count = 0
    while at + 8 <= end:
        name, length, start = data[at : at + 4], unsigned(data, at + 4, 4, little=True), at + 8
        yield name, start, length
        count += 1
        if count > MAX_WEBP_CHUNKS:
            raise NotAPhoto
        at = start + length + length % 2


def _bytes_per_pixel(data: mmap.mmap, pixels: int) -> tuple[int, int]:
    """Return what checking takes, and what opening takes."""
    if LIBWEBP is None:
        return _WITH_PILLOW, _WITH_PILLOW
    names: set[bytes] = set()
    for name, start, length in _chunks(data):
        names.add(name)
        if name == b"ANMF":
            end = min(start + length, len(data))
            names |= {inner for inner, _, _ in _chunks_between(data, start + _FRAME_HEADER, end)}
            break
    if b"VP8L" in names:
        return _CHECKED_LOSSLESS, _OPENED_LOSSLESS
    if b"ALPH" in names:
        return _CHECKED_WITH_ALPHA, _OPENED_IN_HALVES if pixels > _MAX_WHOLE_PIXELS else _OPENED_WITH_ALPHA
    return _CHECKED_LOSSY, _OPENED_LOSSY


def _larger(*sizes: tuple[int, int] | None) -> tuple[int, int] | None:
    known = [size for size in sizes if size is not None]
    return (max(width for width, _ in known), max(height for _, height in known)) if known else None


def _inside(data: "mmap.mmap | bytes", chunk: tuple[bytes, int]) -> tuple[int, int] | None:
    """Return the size in a chunk of picture data, None for other chunks."""
    name, start = chunk
    if name == b"VP8 ":
        if data[start + 3 : start + 6] != _LOSSY_START:
            raise Broken
        return unsigned(data, start + 6, 2, little=True) & 0x3FFF, unsigned(
            data, start + 8, 2, little=True
        ) & 0x3FFF
    if name == b"VP8L":
        if data[start : start + 1] != _LOSSLESS_START:
            raise Broken
        bits = unsigned(data, start + 1, 4, little=True)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return None
