"""Makes the files: small to send, and costly to open for a program that believes what they declare."""

import base64
import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PIL import Image

from tests.media.files import chunk, riff, saved, segment


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


# `Image.new("L", (16384, 16384), 128)` as AVIF at speed 10 and quality 30: making it takes half a minute and
# more than 3 GB.
_VAST_AVIF = (
    "c-muNV30{GsVqn=%S>Yc0uY^>nP!-qnF!*)%uOvxWPkw0jFg-rD4U@mGr5ET4e%9YmgIt2j6f`xnUkLk;<$kLj1W;qUIqqsX&_r8"
    "Gczv@u2u@jNo9ia63Yw>o%3_@!FFY278Df#Y0u1p<a{74l384k3bD=sib3{PWP&ww012MNGDGJ^c^Qy^aB_Z5QC@OR1<+hx2DS#E"
    "ka%W6F3d+jXR$CcHM0QSq@0_QSR%y0#V!B6{{R2K%b28i9gI5pB$x%uOD=N*U2Jy#l+~hlZ5FcYr%NrqCCv9=VcI44>di_gV-"
    "{L3ImdM2kKv5^FMS^@+YkJz{5oB9qi;Zlmb=y@pHY3I`bPDQ>KoNJs&6ppBU2jyfgZ#Q"
)
SIDE = 7900  # pixels; just below the most that are taken


@dataclass(frozen=True)
class MadeFile:
    """`name` is for people, `suffix` for the file. The bot takes those that are pictures all the same."""

    name: str
    suffix: str
    make: Callable[[], bytes]
    is_picture: bool = False


def files() -> tuple[MadeFile, ...]:
    """All of them."""
    return (
        MadeFile("JPEG, 7,000 scans, 300 kB", "jpg", partial(scans, 7_000)),
        MadeFile("JPEG, 700,000 scans, 24 MB", "jpg", partial(scans, 680_000)),
        MadeFile("JPEG, 2 million comments", "jpg", many_comments),
        MadeFile("JPEG, Exif data in 4,900 pieces", "jpg", many_exif, is_picture=True),
        MadeFile("JPEG, 2 million resources of Photoshop", "jpg", many_resources, is_picture=True),
        MadeFile("JPEG, 380,000 quantization tables", "jpg", many_tables),
        MadeFile("AVIF, says 64×64, is 16384²", "avif", small_avif, is_picture=True),
        MadeFile("AVIF, says what it is, 16384²", "avif", vast_avif),
        MadeFile("HEIC, says 64×64, is 7900²", "heic", small_heic),
        MadeFile("HEIC, a grid of 60,000 times one tile", "heic", many_tiles),
        MadeFile("PNG, 7900² of one colour", "png", partial(flat_png, SIDE), is_picture=True),
        MadeFile("PNG, a text of 1 GB, deflated", "png", text_bomb, is_picture=True),
        MadeFile("PNG, a colour profile of 100 MB, deflated", "png", profile_bomb),
        MadeFile("PNG, 20,000 colour profiles of 1 MB, deflated", "png", many_profiles),
        MadeFile("PNG, 20,000 profiles behind the picture", "png", partial(many_profiles, is_behind=True)),
        MadeFile("PNG, 20,000 damaged texts of 1 MB, deflated", "png", many_texts, is_picture=True),
        MadeFile("PNG, 2 million empty chunks", "png", many_chunks),
        MadeFile("PNG, 8000² without data", "png", empty_png),
        MadeFile("WebP, 16383×2500 in 38 bytes", "webp", partial(tiny_webp, 16_383, 2_500)),
        MadeFile("WebP, a frame larger than its canvas", "webp", large_frame),
        MadeFile("TIFF, 16 bits, 7900², 150 kB", "tiff", wide_tiff),
        MadeFile("TIFF, CMYK, 7900²", "tiff", ink_tiff, is_picture=True),
        MadeFile("TIFF, a tile of 60000²", "tiff", large_tile),
        MadeFile("TIFF, one strip 60,000 times", "tiff", same_strip, is_picture=True),
        MadeFile("TIFF, 60,000 tags with the same 20 MB", "tiff", same_tags),
        MadeFile("TIFF, 20,000 frames", "tiff", many_directories, is_picture=True),
        MadeFile("GIF, 100,000 frames", "gif", many_frames, is_picture=True),
        MadeFile("GIF, a comment of 24 MB", "gif", long_comment, is_picture=True),
        MadeFile("BMP, 7900² in runs", "bmp", runs),
        MadeFile("EPS that calls itself PNG", "png", postscript),
    )


def scans(count: int, side: int = 4096) -> bytes:
    """A progressive JPEG, each scan of which walks over all blocks and changes none."""
    blocks = (side // 8) ** 2
    frame = segment(0xC2, struct.pack(">BHHB", 8, side, side, 1) + b"\x01\x11\x00")
    tables = segment(0xDB, b"\x00" + b"\x01" * 64)
    one_code = b"\x01" + bytes(15)
    tables += segment(0xC4, b"\x00" + one_code + b"\x00") + segment(0xC4, b"\x10" + one_code + b"\xe0")
    levels = scan_of(b"\x01\x01\x00\x00\x00\x00", bytes((blocks + 7) // 8))
    # "0" is the one code, a run of 32,767 blocks without anything; 14 bits of ones say how long.
    bits = ("0" + "1" * 14) * -(-blocks // 32_767)
    bits += "1" * (-len(bits) % 8)
    data = int(bits, 2).to_bytes(len(bits) // 8)
    walk = scan_of(b"\x01\x01\x00\x01\x3f\x00", data.replace(b"\xff", b"\xff\x00"))
    return b"\xff\xd8" + tables + frame + levels + walk * count + b"\xff\xd9"


def many_comments() -> bytes:
    """As many segments as there is room for."""
    return jpeg_with(segment(0xFE, b"") * 2_000_000)


def many_exif(count: int = 4_900) -> bytes:
    """Exif data in pieces, to be joined one by one."""
    return jpeg_with(segment(0xE1, b"Exif\x00\x00" + bytes(4_900)) * count)


def many_resources(count: int = 4_900) -> bytes:
    """Empty resources, to be taken apart one by one."""
    return jpeg_with(segment(0xED, b"Photoshop 3.0\x00" + b"8BIM\x04\x04".ljust(12, b"\x00") * 400) * count)


def many_tables(count: int = 380) -> bytes:
    """The same table a thousand times in each of so many segments."""
    return jpeg_with(segment(0xDB, (b"\x00" + b"\x01" * 64) * 1_000) * count)


def vast_avif() -> bytes:
    """16384² pixels in 2 kB."""
    return zlib.decompress(base64.b85decode(_VAST_AVIF))


def small_avif() -> bytes:
    """The same, with another size written outside."""
    return declared(vast_avif(), 64, 64)


def small_heic(side: int = SIDE) -> bytes:
    """A HEIC with another size written outside."""
    return declared(saved(Image.new("L", (side, side), 128), "HEIF", quality=30), 64, 64)


def many_tiles() -> bytes:
    """A grid whose cells are all the same picture, in more rows and columns than it is large."""
    photo = saved(Image.effect_noise((1024, 1024), 50).convert("RGB"), "HEIF", quality=30, tile_size=512)
    start = photo.index(b"dimg") + 4
    source, count = struct.unpack_from(">HH", photo, start)
    cells = struct.pack(">HH", source, count) + photo[start + 4 : start + 6] * count
    return photo[:start] + cells + photo[start + len(cells) :]


def flat_png(side: int) -> bytes:
    """As large as may be, and nothing in it: taken, but only one at a time."""
    return saved(Image.new("RGBA", (side, side), (9, 99, 199, 255)), "PNG", compress_level=1)


def text_bomb() -> bytes:
    """A text that nobody wants to read."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1_000_000)) for _ in range(1_000)) + packer.flush()
    return png_with(b"zTXt", b"Comment\x00\x00" + packed)


def profile_bomb() -> bytes:
    """A colour profile that is none."""
    return png_with(b"iCCP", b"profile\x00\x00" + zlib.compress(bytes(100_000_000)))


def many_profiles(count: int = 20_000, *, is_behind: bool = False) -> bytes:
    """Colour profiles, of which the standard allows one."""
    return png_with(b"iCCP", b"x\x00\x00" + megabyte(), count, is_behind=is_behind)


def many_texts(count: int = 20_000) -> bytes:
    """Texts with a wrong checksum, which Pillow inflates and does not count."""
    return png_with(b"zTXt", b"x\x00\x00" + megabyte()[:-4] + bytes(4), count)


def many_chunks() -> bytes:
    """Chunks of data without data."""
    png = saved(Image.new("RGB", (64, 64)), "PNG")
    return png[:33] + chunk(b"IDAT", b"") * 2_000_000 + png[33:]


def empty_png() -> bytes:
    """A size without data."""
    return (
        b"\x89PNG\r\n\x1a\n"
        + image_header(8000, 8000)
        + chunk(b"IDAT", zlib.compress(b""))
        + chunk(b"IEND", b"")
    )


def _blank() -> bytes:
    return flat_png(64)


BLANK = MadeFile("a blank picture", "png", _blank, is_picture=True)
"""One that harms nobody."""


def tiny_webp(width: int, height: int) -> bytes:
    """A lossless picture of which little more than the size is there."""
    size = (width - 1 | (height - 1) << 14).to_bytes(4, "little")
    return riff(b"VP8L" + struct.pack("<I", 18) + b"\x2f" + size + bytes(13))


def large_frame() -> bytes:
    """A canvas of one pixel, and a frame beyond it."""
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(10)
    return riff(canvas + tiny_webp(16_383, 16_383)[12:])


def wide_tiff(side: int = SIDE) -> bytes:
    """Sixteen bits for each of three colours, in one strip."""
    return tiff_of(side, side, zlib.compress(bytes(side * side * 6), 9), bits=16, samples=3, photometric=2)


def ink_tiff(side: int = SIDE) -> bytes:
    """Colours for printing."""
    return tiff_of(side, side, zlib.compress(bytes(side * side * 4), 9), bits=8, samples=4, photometric=5)


def large_tile() -> bytes:
    """A small picture in a tile that is none."""
    entries = [
        *size_entries(64, 64, 1),
        (322, 4, [60_000]),
        (323, 4, [60_000]),
        (324, 4, [8]),
        (325, 4, [1_000]),
    ]
    return directory(entries, bytes(1_000))


def same_strip() -> bytes:
    """The same megabytes, to be decoded for each row."""
    data = zlib.compress(bytes(4_000_000), 0)
    entries = [
        *size_entries(64, 60_000, 1),
        (273, 4, [8] * 60_000),
        (278, 4, [1]),
        (279, 4, [len(data)] * 60_000),
    ]
    return directory(entries, data)


def same_tags() -> bytes:
    """The same megabytes, to be read for each tag."""
    start = 8 + 2 + 60_000 * 12 + 4
    tags = b"".join(struct.pack("<HHII", number + 1_000, 7, 20_000_000, start) for number in range(60_000))
    return b"II*\x00" + struct.pack("<IH", 8, 60_000) + tags + bytes(4) + bytes(20_000_000)


def many_directories() -> bytes:
    """One frame after the other, of which the first is used."""
    buffer = io.BytesIO()
    frame = saved(Image.new("L", (8, 8)), "TIFF")
    for number in range(20_000):
        moved = 8 + number * len(frame[8:])
        buffer.write(struct.pack("<H", 0) + struct.pack("<I", moved + 6) if number else b"")
    return frame[:-4] + struct.pack("<I", len(frame)) + buffer.getvalue()


def many_frames() -> bytes:
    """Frames of a moving picture, of which the first is used."""
    gif = saved(Image.new("P", (64, 64)), "GIF")
    start = gif.index(b"\x2c")
    return gif[:start] + gif[start:-1] * 100_000 + b";"


def long_comment() -> bytes:
    """A comment in pieces, to be joined one by one."""
    gif = saved(Image.new("P", (64, 64)), "GIF")
    start = gif.index(b"\x2c")
    return gif[:start] + b"\x21\xfe" + (b"\xff" + b"x" * 255) * 94_000 + b"\x00" + gif[start:]


def runs() -> bytes:
    """Runs of one pixel each."""
    data = b"\x01\x00" * 12_000_000
    header = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(data), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 1024 + len(data), 0, 0, 54 + 1024) + header + bytes(1024) + data


def postscript() -> bytes:
    """A program, which Pillow would give to Ghostscript."""
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\n{} loop\n"
