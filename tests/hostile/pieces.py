"""Pieces of files: segments, chunks, boxes and directories, true or not."""

import io
import struct
import zlib
from typing import Any

from PIL import Image

from tests.media.metadata.photos import chunk, segment
from tests.support.cheap.heic import save_heic


def saved(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def heic(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    save_heic(buffer, image, quality=30, **options)
    return buffer.getvalue()


def declared(data: bytes, width: int, height: int) -> bytes:
    """With another size in each `ispe` box."""
    pieces = data.split(b"ispe")
    said = bytes(4) + struct.pack(">II", width, height)
    return b"ispe".join([pieces[0], *(said + piece[12:] for piece in pieces[1:])])


def scan_of(head: bytes, data: bytes) -> bytes:
    return segment(0xDA, head) + data


def image_header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))


def jpeg_with(segments: bytes) -> bytes:
    photo = saved(Image.new("RGB", (64, 64)), "JPEG")
    return photo[:2] + segments + photo[2:]


def png_with(name: bytes, data: bytes, count: int = 1, *, is_behind: bool = False) -> bytes:
    png = saved(Image.new("RGB", (64, 64)), "PNG")
    place = len(png) - 12 if is_behind else 33
    return png[:place] + chunk(name, data) * count + png[place:]


def megabyte() -> bytes:
    """As much as Pillow inflates of a chunk, deflated."""
    return zlib.compress(bytes(1024 * 1024 - 100), 9)


def size_entries(width: int, height: int, photometric: int) -> list[tuple[int, int, list[int]]]:
    deflated = 8
    return [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [8]),
        (259, 3, [deflated]),
        (262, 3, [photometric]),
    ]


def tiff_of(width: int, height: int, data: bytes, *, bits: int, samples: int, photometric: int) -> bytes:
    entries = size_entries(width, height, photometric)
    entries[2] = (258, 3, [bits] * samples)
    more = [(273, 4, [8]), (277, 3, [samples]), (278, 4, [height]), (279, 4, [len(data)])]
    return directory([*entries, *more], data)


def directory(entries: list[tuple[int, int, list[int]]], data: bytes) -> bytes:
    """A TIFF: the data at byte 8, behind it the directory, behind that what is too long for an entry."""
    start = 8 + len(data)
    beside = start + 2 + len(entries) * 12 + 4
    written, content = b"", b""
    for tag, kind, values in sorted(entries):
        packed = struct.pack(f"<{len(values)}{'H' if kind == 3 else 'I'}", *values)
        if len(packed) > 4:
            packed, content = struct.pack("<I", beside + len(content)), content + packed
        written += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\x00")
    return (
        b"II*\x00"
        + struct.pack("<I", start)
        + data
        + struct.pack("<H", len(entries))
        + written
        + bytes(4)
        + content
    )
