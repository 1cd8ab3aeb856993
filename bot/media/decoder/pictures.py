"""Check, convert and reduce pictures. It all meets a stranger's bytes, and runs in a decoder's forks only."""

import errno
import io
import mmap
import struct
import zlib
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pi_heif.options  # pyright: ignore[reportMissingTypeStubs]
from pi_heif import HeifImageFile  # pyright: ignore[reportMissingTypeStubs]
from PIL import AvifImagePlugin, Image, ImageCms, ImageOps
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile, PngInfo
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bot.media.decoder import LARGE
from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.metadata import (
    CODING,
    MADE_BY_AI,
    SCAN,
    BrokenStructure,
    digital_source_in,
    jpeg_segments,
    png_chunks,
    with_digital_source,
    xmp_packet,
)

MAX_CHECKED_PIXELS = 200_000_000
"""The most pixels of a result that is decoded to see whether it is whole, where its kind has the memory."""
MAX_FITTED_PIXELS = 20_000_000  # of a picture that is made to fit
MAX_LIGHT_PIXELS = 12_000_000  # of one that becomes a WebP, which takes more memory to write
MAX_SCANS = 100  # of a JPEG: encoders write 10 to 20; each is a walk over the whole picture
MAX_TABLE_BYTES = (
    65_536  # of quantization tables, which Pillow reads in Python: four for each scan take 50,000
)
MAX_RUN_LENGTH_PIXELS = 12_000_000  # of a BMP: Pillow decodes runs byte by byte in Python
MAX_PROFILE_BYTES = 4 * 1024 * 1024
MAX_JPEG_SIDE = 65_500  # libjpeg's JPEG_MAX_DIMENSION
MAX_JPEG_XMP = 65_502  # bytes: what one segment holds
_QUALITY = 92  # of a JPEG that is sent on
_FITTING = ((92, 1.0), (85, 1.0), (78, 1.0), (85, 0.75), (78, 0.75), (78, 0.5), (70, 0.35), (60, 0.25))
_THUMBNAIL_SIDE = 160  # pixels of the longer side
_WIPE_SIDES = 800, 500  # pixels of the longer side of a picture that moves
_LIGHT = ((92, 100, 1.0), (85, 80, 1.0), (75, 60, 0.75), (60, 40, 0.5), (50, 20, 0.25))
# Pillow's class for each kind, as one by the name of a kind may be another; and the bytes a pixel that
# decoding and converting take, without transparency and with it: measured, with some room.
_KINDS: dict[PhotoKind, tuple[Any, tuple[int, int]]] = {
    PhotoKind.JPEG: (JpegImageFile, (8, 8)),  # of which several scans keep all coefficients to the last
    PhotoKind.PNG: (PngImageFile, (8, 8)),
    PhotoKind.WEBP: (WebPImageFile, (17, 17)),
    PhotoKind.HEIC: (HeifImageFile, (9, 9)),
    PhotoKind.AVIF: (AvifImageFile, (10, 14)),
    PhotoKind.GIF: (GifImageFile, (9, 9)),
    PhotoKind.TIFF: (TiffImageFile, (9, 9)),
    PhotoKind.BMP: (BmpImageFile, (8, 8)),
}
# Of HEIC with more than 8 bits, without reduced colours, and with neither.
_DEEP_HEIC, _FINE_HEIC, _DEEP_FINE_HEIC = (9, 13), (10, 13), (16, 21)
_FITTED_BYTES = 20  # a pixel, of a picture that is made to fit
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_TABLES = 0xDB
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a PNG
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE, _INFLATED = 1 << 16, 1 << 20  # bytes that are inflated at a time, to at most so many
_BAND = 64  # rows
_COLOURS = {"RGB": b"RGB ", "RGBA": b"RGB ", "L": b"GRAY", "CMYK": b"CMYK"}
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,  # what the AVIF library says of a broken file
    struct.error,
    zlib.error,
    BrokenStructure,
)

pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False
pi_heif.options.DECODE_THREADS = AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each takes memory of its own
Image.MAX_IMAGE_PIXELS = None  # sizes are checked here


class Refusal(Exception):
    """The file can't be used. `why` is `unknown`, `broken`, `structure`, `pixels`, `memory`, or `room`: it
    takes more memory than a small picture may."""

    def __init__(self, why: str, **facts: object) -> None:
        super().__init__(why)
        self.why = why
        self.facts = facts


def check(path: str, room: int, limit: int) -> bytes:
    """Decode a result completely, and keep as little as possible. Return a thumbnail of at most `limit` bytes
    that says that AI made it; empty if there is no way to that."""
    kind = _kind_of(path)
    with _refusing(kind):
        _checked(kind, path, MAX_CHECKED_PIXELS, room)
    with suppress(Refusal, MemoryError, *_BROKEN):
        image = _opened(kind, path, MAX_FITTED_PIXELS, room)
        image.draft("RGB", (2 * _THUMBNAIL_SIDE, 2 * _THUMBNAIL_SIDE))
        image = _upright(image)
        image.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
        buffer, plain = io.BytesIO(), {"exif": b"", "icc_profile": b"", "xmp": xmp_packet(MADE_BY_AI)}
        _in_srgb(_flat(image)).save(buffer, "WEBP", quality=60, **plain)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return b""


def inspect(path: str, into: str, most: int, pixels: int, room: int) -> dict[str, Any]:
    """Decode a photo of at most that many pixels completely.

    If Studii does not accept its kind, write it to `into` as a JPEG, or, if it is transparent, as a PNG or
    WebP, of at most `most` bytes if there is a way to that.
    """
    kind = _kind_of(path)
    with _refusing(kind):
        if kind.is_accepted:
            width, height = _checked(kind, path, pixels, room)
            return {"kind": kind.name, "type": kind.content_type, "width": width, "height": height}
        return _converted(kind, path, Path(into), most, pixels, room)


def fit(path: str, limit: int, pixels: int, room: int, *, made: bool = False) -> bytes:
    """Return the picture as a JPEG of at most `limit` bytes; empty if there is no way to that.

    One that is `made` by AI says so and keeps its XMP; of a photo only the mark is kept.
    """
    picture, xmp = _smaller(path, pixels, room, made=made)
    return _fitted(picture, limit, xmp)


def label(path: str, limit: int, words: str, corner: str, pixels: int, room: int) -> bytes:
    """Return such a JPEG of a picture made by AI, with words in one of its corners."""
    from bot.media.drawing import labelled  # few pictures are drawn on

    picture, xmp = _smaller(path, pixels, room, made=True)
    return _fitted(labelled(_flat(picture), words, corner), limit, xmp)


def split(
    path: str, before: str, limit: int, labels: tuple[str, str], pixels: int, room: int, *, moves: bool
) -> bytes:
    """Return such a JPEG, half of it the picture before and half the one at `path`; or a WebP that moves from
    one to the other."""
    from bot.media.drawing import SPLIT_SIDE, draw_halves, draw_wipe

    picture, xmp = _smaller(path, pixels, room, made=True)
    picture.thumbnail((SPLIT_SIDE, SPLIT_SIDE))  # or there would be no room for the other
    earlier, _ = _smaller(before, pixels, room, made=False)
    if not moves:
        return _fitted(draw_halves(_flat(earlier), _flat(picture), labels), limit, xmp)
    for side in _WIPE_SIDES:
        picture.thumbnail((side, side))
        frames, lasts = draw_wipe(_in_srgb(_flat(earlier)), _in_srgb(_flat(picture)), labels)
        film: dict[str, Any] = {"save_all": True, "append_images": frames[1:], "duration": lasts, "loop": 0}
        buffer = io.BytesIO()
        frames[0].save(buffer, "WEBP", quality=70, method=2, xmp=xmp, **film)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return b""


OPERATIONS: dict[str, Callable[..., Any]] = {one.__name__: one for one in (check, inspect, fit, label, split)}


def _kind_of(path: str) -> PhotoKind:
    with Path(path).open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
    if kind is None:
        raise Refusal("unknown")
    return kind


@contextmanager
def _refusing(kind: PhotoKind) -> Generator[None]:
    """Make a refusal of what a library says of a broken file."""
    try:
        yield
    except _BROKEN as error:
        # Of the disk. What Pillow says of a picture has no number, but for a place before the file.
        if isinstance(error, OSError) and error.errno not in {None, errno.EINVAL}:
            raise
        raise Refusal("broken", kind=kind.name) from None


def _admit(kind: PhotoKind, size: tuple[int, int], each: int, most: int, room: int) -> None:
    """Refuse a picture of more than `most` pixels, or than there is room for at `each` bytes a pixel."""
    pixels = size[0] * size[1]
    if each and LARGE // each < most:
        most = LARGE // each // 1_000_000 * 1_000_000
    if pixels > most:
        raise Refusal("pixels", kind=kind.name, width=size[0], height=size[1], most=most)
    if pixels * each > room:
        raise Refusal("room", kind=kind.name)


def _opened(kind: PhotoKind, path: str, most: int, room: int) -> Any:
    """Read the head of a picture."""
    plugin, each = _KINDS[kind]
    image: Any = plugin(path)
    is_deep, is_fine = image.info.get("bit_depth", 8) > 8, image.info.get("chroma", 420) != 420
    if kind is PhotoKind.HEIC and (is_deep or is_fine):
        each = _DEEP_FINE_HEIC if is_deep and is_fine else _DEEP_HEIC if is_deep else _FINE_HEIC
    is_clear: bool = image.mode == "RGBA"
    _admit(kind, image.size, each[is_clear], most, room)
    is_long = image.width * image.height > MAX_RUN_LENGTH_PIXELS
    if kind is PhotoKind.BMP and is_long and image.tile[0][0] == "bmp_rle":
        raise Refusal("structure", kind=kind.name)
    return image


def _checked(kind: PhotoKind, path: str, most: int, room: int) -> tuple[int, int]:
    """Decode a picture completely, and keep as little as possible. Return its size."""
    if kind in {PhotoKind.JPEG, PhotoKind.PNG}:
        with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _checked_png(data, most) if kind is PhotoKind.PNG else _checked_jpeg(data, most, room)
    image = _opened(kind, path, most, room)
    width, height = image.size
    image.load()
    return width, height


def _checked_jpeg(data: mmap.mmap, most: int, room: int) -> tuple[int, int]:
    """Decode a JPEG at an eighth of its size: all its data is looked at, and a fraction is kept.

    Of several scans the decoder keeps all coefficients.
    """
    segments = list(jpeg_segments(data))
    scans = sum(marker == SCAN for marker, _, _ in segments)
    tables = sum(end - start for marker, start, end in segments if marker == _TABLES)
    if scans > MAX_SCANS or tables > MAX_TABLE_BYTES:
        raise Refusal("structure", kind=PhotoKind.JPEG.name)
    if not _is_complete(data, segments):
        raise BrokenStructure("scans are missing, which leaves a coarser picture")
    is_simple = scans == 1 and not any(marker in _PROGRESSIVE for marker, _, _ in segments)
    coded = [data[start:end] for marker, start, end in segments if marker in CODING]
    # Where data is missing before the end, libjpeg fills up with grey and says nothing. Without that end, it
    # asks for more: a whole picture needs none of these bits, which are no code.
    end = b"\xff\0" * 64 if is_simple else b"\xff\xd9"
    image = JpegImageFile(io.BytesIO(b"".join((b"\xff\xd8", *coded, end))))
    width, height = image.size
    _admit(PhotoKind.JPEG, image.size, 1 if is_simple else _KINDS[PhotoKind.JPEG][1][0], most, room)
    image.draft("RGB", (max(1, width // 8), max(1, height // 8)))
    image.load()
    return width, height


def _is_complete(data: mmap.mmap, segments: Iterable[tuple[int, int, int]]) -> bool:
    """Return whether the scans bring each coefficient of each component, to its last bit."""
    lacking: dict[int, list[int]] = {}
    for marker, start, _ in segments:
        if marker in _FRAMES:
            names = data[start + 10 : start + 10 + 3 * data[start + 9] : 3]
            lacking = {name: [16] * 64 for name in names}
        elif marker == SCAN:
            end = start + 5 + 2 * data[start + 4]
            first, last, approximation = data[end], min(data[end + 1], 63), data[end + 2] & 15
            for name in data[start + 5 : end : 2]:
                lacking[name][first : last + 1] = [approximation] * (last + 1 - first)
    return bool(lacking) and not any(map(any, lacking.values()))


def _checked_png(data: mmap.mmap, most: int) -> tuple[int, int]:
    """Inflate a PNG, and keep nothing: Pillow leaves rows empty that are missing, and says nothing."""
    width, height = struct.unpack_from(">II", data, 16)
    if data[12:16] != b"IHDR" or not (width and height):
        raise BrokenStructure("no size")
    _admit(PhotoKind.PNG, (width, height), 0, most, 0)
    lacking, inflating, profiles = _inflated_size(data), zlib.decompressobj(), 0
    for name, start, end in png_chunks(data):
        if name[0] & 0x20 == 0 and zlib.crc32(data[start - 4 : end]) != int.from_bytes(data[end : end + 4]):
            raise BrokenStructure("a checksum is wrong")
        if name == b"iCCP":
            profiles += 1
            profile = zlib.decompressobj().decompress(
                data[start:end].partition(b"\0")[2][1:], MAX_PROFILE_BYTES
            )
            if profiles > 1 or len(profile) == MAX_PROFILE_BYTES:
                raise Refusal("structure", kind=PhotoKind.PNG.name)
        for at in range(start, end, _PIECE) if name == b"IDAT" else ():
            piece = data[at : min(at + _PIECE, end)]
            while piece and lacking > 0 and not inflating.eof:
                lacking -= len(inflating.decompress(piece, min(lacking, _INFLATED)))
                piece = inflating.unconsumed_tail
    if lacking > len(inflating.flush()):
        raise BrokenStructure("rows are missing")
    return width, height


def _inflated_size(data: mmap.mmap) -> int:
    """Return the bytes of all rows with their filters, of an interlaced picture those of its seven passes."""
    width, height, depth, colours, _, _, passes = struct.unpack_from(">IIBBBBB", data, 16)
    size = 0
    for left, top, across, down in _PASSES if passes else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            size += rows * (1 + -(-columns * depth * _CHANNELS[colours] // 8))
    return size


def _upright(image: Any) -> Image.Image:
    """Return the decoded first picture, rotated by its EXIF data, in RGB, RGBA or L."""
    image.load()
    ImageOps.exif_transpose(image, in_place=True)
    if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
        return image if image.mode == "RGBA" else image.convert("RGBA")
    if image.mode in {"I;16", "I;16B", "I;16L", "I", "F"}:
        return _eight_bits(image)
    if image.mode == "CMYK":
        return _in_srgb(image)
    return image if image.mode in {"RGB", "L"} else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of 16 or more bits a pixel, as scanners make them, scaled to 8 bits.

    Works in bands, because floating point numbers for the whole picture would take 8 bytes a pixel.
    """
    places = range(0, image.height, _BAND)
    extremes = [cast("tuple[float, float]", _band(image, top).getextrema()) for top in places]
    low, high = min(one[0] for one in extremes), max(one[1] for one in extremes)
    scale = 255.0 / max(high - low, 1.0)
    narrow = Image.new("L", image.size)
    for top in places:
        scaled = _band(image, top).point(lambda value: value * scale - low * scale)
        narrow.paste(scaled.convert("L"), (0, top))
    narrow.info = image.info
    return narrow


def _band(image: Image.Image, top: int) -> Image.Image:
    return image.crop((0, top, image.width, min(top + _BAND, image.height))).convert("F")


def _profile(image: Image.Image) -> bytes | None:
    """Return the colour profile, or None if it is for other colours, such as a scan's for printing.

    https://www.color.org/specification/ICC.1-2022-05.pdf, 7.2.6
    """
    profile: bytes | None = image.info.get("icc_profile")
    return profile if profile is not None and profile[16:20] == _COLOURS.get(image.mode) else None


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in the colours that are assumed without a profile, by the one that it has."""
    cms: Any = ImageCms
    profile = _profile(image)
    try:
        if profile is not None:
            source = cms.ImageCmsProfile(io.BytesIO(profile))
            made = cms.profileToProfile(image, source, cms.createProfile("sRGB"), outputMode="RGB")
            made.info.pop("icc_profile", None)
            return made
    except (cms.PyCMSError, OSError):
        pass  # it is broken
    return image.convert("RGB")


def _converted(kind: PhotoKind, path: str, into: Path, most: int, pixels: int, room: int) -> dict[str, Any]:
    """Convert a photo. Of the metadata only the colour profile and the mark of AI are kept."""
    image = _opened(kind, path, pixels, room)
    found = {"kind": kind.name, "width": image.width, "height": image.height}
    image = _upright(image)  # under no other name: what it is shrunk to takes its room
    profile, xmp = _profile(image), xmp_packet(digital_source_in(Path(path)))
    if image.mode != "RGBA" and max(image.size) <= MAX_JPEG_SIDE:
        # The comment may be too long for JPEG.
        options: dict[str, Any] = {"quality": _QUALITY, "subsampling": 0, "comment": b"", "xmp": xmp}
        image.save(into, "JPEG", icc_profile=profile, **options)
        if into.stat().st_size > most and (data := _fitted(image, most, xmp)):
            into.write_bytes(data)
        return {**found, "type": PhotoKind.JPEG.content_type}
    texts = PngInfo()
    if xmp:
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    image.save(into, "PNG", icc_profile=profile, pnginfo=texts, compress_level=3)
    if image.mode != "RGBA" or into.stat().st_size <= most:
        return {**found, "type": PhotoKind.PNG.content_type}
    image = _shrunk(image, MAX_LIGHT_PIXELS)
    for quality, alpha, share in _LIGHT:
        options = {"quality": quality, "alpha_quality": alpha, "method": 2, "xmp": xmp}
        _resized(image, share).save(into, "WEBP", icc_profile=profile, exif=b"", **options)
        if into.stat().st_size <= most:
            break
    return {**found, "type": PhotoKind.WEBP.content_type}


def _smaller(path: str, most: int, room: int, *, made: bool) -> tuple[Image.Image, bytes]:
    """Return a picture of at most `MAX_FITTED_PIXELS`, upright, and the XMP packet for a copy of it."""
    kind = _kind_of(path)
    with _refusing(kind):
        image = _opened(kind, path, most, room)
        pixels = image.width * image.height
        _admit(kind, (1, min(pixels, MAX_FITTED_PIXELS)), _FITTED_BYTES, most, room)
        if pixels > 2 * MAX_FITTED_PIXELS:  # half of a JPEG's width and height is enough
            image.draft(image.mode, (image.width // 2, image.height // 2))
        mark, own = digital_source_in(Path(path)), image.info.get("xmp")
        image = _shrunk(_upright(image), MAX_FITTED_PIXELS)
    if not made:
        return image, xmp_packet(mark)
    xmp = with_digital_source(own, mark or MADE_BY_AI) if isinstance(own, bytes) else b""
    return image, xmp if 0 < len(xmp) <= MAX_JPEG_XMP else xmp_packet(mark or MADE_BY_AI)


def _shrunk(image: Image.Image, most: int) -> Image.Image:
    """Return a very large picture with fewer pixels, as each takes much memory when it is made to fit.

    Works in bands, because a transparent picture is copied as a whole otherwise.
    """
    share = (most / (image.width * image.height)) ** 0.5
    if share >= 1:
        return image
    smaller = Image.new(image.mode, (max(1, int(image.width * share)), max(1, int(image.height * share))))
    step = image.height / smaller.height
    for row in range(0, smaller.height, _BAND):
        count = min(_BAND, smaller.height - row)
        top, bottom = row * step, min((row + count) * step, image.height)
        # Beyond the band, as many rows as one more of the smaller picture is interpolated from.
        first, last = max(0, int(top - 3 * step)), min(image.height, int(bottom + 3 * step) + 1)
        band = image.crop((0, first, image.width, last))
        box = 0, top - first, image.width, bottom - first
        smaller.paste(band.resize((smaller.width, count), box=box), (0, row))
    smaller.info = image.info
    return smaller


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture in RGB, on white where it is transparent. A profile for grey is applied."""
    if image.mode != "RGBA":
        return image if image.mode == "RGB" else _in_srgb(image)
    ground = Image.new("RGB", image.size, "white")
    ground.paste(image, mask=image.getchannel("A"))
    ground.info = image.info
    return ground


def _resized(image: Image.Image, share: float) -> Image.Image:
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    return image if share == 1.0 else image.resize(size, Image.Resampling.LANCZOS)


def _fitted(image: Image.Image, limit: int, xmp: bytes) -> bytes:
    """Return the picture as a JPEG of at most `limit` bytes, as good as that allows; empty if none is."""
    profile = _profile(image)
    if image.mode == "RGBA":
        image = _flat(image)
    if profile is not None and len(profile) > limit // 4:  # it leaves no room for the picture
        image, profile = _in_srgb(image), None
    options: dict[str, Any] = {"optimize": True, "icc_profile": profile, "comment": b"", "xmp": xmp}
    for quality, share in _FITTING:
        buffer = io.BytesIO()
        _resized(image, share).save(buffer, "JPEG", quality=quality, **options)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return b""
