"""Whether a file is a photo that can be sent to Studii, or be made one: decoded once, in a worker thread."""

import struct
import threading
import zlib
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from bot.errors import StudiiBotError
from bot.media.convert import first_picture, fitted, write
from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.metadata import digital_source_in

MAX_PIXELS = 64_000_000
# The most memory that one picture may take while it is looked at; the figures below were measured.
MAX_BYTES = 640 * 1024 * 1024
# So much may be taken beside a large one.
SMALL_BYTES = 128 * 1024 * 1024
_BYTES_PER_PIXEL = {
    PhotoKind.JPEG: 3,  # a progressive one; of others, an eighth of the size is decoded
    PhotoKind.PNG: 4,
    PhotoKind.WEBP: 16,
    PhotoKind.HEIC: 8,
    PhotoKind.AVIF: 10,
    PhotoKind.GIF: 6,
    PhotoKind.TIFF: 10,
    PhotoKind.BMP: 9,
}
_FITTING_BYTES_PER_PIXEL = 15

# Opened by the class that the bytes call for, instead of by trial of all that Pillow knows: less code meets
# bytes of unknown origin, and the size is checked by us alone, before anything is decoded.
_DECODERS: dict[PhotoKind, type[ImageFile.ImageFile]] = {
    PhotoKind.JPEG: JpegImageFile,
    PhotoKind.PNG: PngImageFile,
    PhotoKind.WEBP: WebPImageFile,
    PhotoKind.HEIC: HeifImageFile,
    PhotoKind.AVIF: AvifImageFile,
    PhotoKind.GIF: GifImageFile,
    PhotoKind.TIFF: TiffImageFile,
    PhotoKind.BMP: BmpImageFile,
}
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,  # what the AVIF library says of a broken file
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
_PNG_END = b"IEND"
_LARGE = threading.Lock()


class PhotoRefused(StudiiBotError):
    """The file cannot be used as a photo; the sentence says why and what to send instead."""

    default = "That file is not a picture that can be read. Please use a JPEG, PNG, WebP or HEIC photo."


class PictureBroken(StudiiBotError):
    """An output that is a picture does not decode whole."""

    default = "The picture is broken or incomplete."


class DecoderFailed(StudiiBotError):
    """The process that opened the file died, or exceeded its bound of memory, processor seconds or time.

    Unlike a refusal this says nothing certain of the file: the machine may have been short of something.
    """

    default = "That picture could not be opened: it took too much memory or time. Please use another one."


@dataclass(frozen=True)
class Photo:
    """A photo that decodes. `content_type` is what the file holds now; width and height are in pixels as they
    came, before any turn that its EXIF data asks for."""

    kind: PhotoKind
    content_type: str
    width: int
    height: int


def inspect(path: Path, max_pixels: int) -> Photo:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        if kind is None:
            raise PhotoRefused
        file.seek(0)
        return _decode(file, kind, path, max_pixels)


def check(path: Path, max_pixels: int) -> None:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        if kind is None:
            return
        file.seek(0)
        try:
            image = _DECODERS[kind](file)
            with _room_for(image.width * image.height * _BYTES_PER_PIXEL[kind]):
                _read(image, kind, file, PhotoRefused())
        except (*_BROKEN, PhotoRefused):
            raise PictureBroken from None


def fit(path: Path, limit: int, max_pixels: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            with Image.open(file) as opened:
                pixels = opened.width * opened.height
            if pixels > min(max_pixels, MAX_BYTES // _FITTING_BYTES_PER_PIXEL):
                return None
            file.seek(0)
            with _room_for(pixels * _FITTING_BYTES_PER_PIXEL):
                return fitted(file, limit)
    except _BROKEN:
        return None


def _decode(file: BinaryIO, kind: PhotoKind, path: Path, max_pixels: int) -> Photo:
    broken = PhotoRefused(
        f"That {kind.label} picture is broken or incomplete. Please send it again, or use another one."
    )
    try:
        image = _DECODERS[kind](file)
    except _BROKEN:
        raise broken from None
    width, height = image.size
    pixels, most = width * height, min(max_pixels, _most_pixels(kind))
    if pixels > most:
        raise PhotoRefused(
            f"That picture has {width} × {height} pixels ({_megapixels(pixels)} megapixels). "
            f"At most {_megapixels(most)} megapixels are possible: please use a smaller one."
        )
    with _room_for(pixels * _BYTES_PER_PIXEL[kind]):
        if kind.is_accepted:
            _read(image, kind, file, broken)
            return Photo(kind, kind.content_type, width, height)
        try:
            mark = digital_source_in(file)
            content_type = write(first_picture(image), path, mark)
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of the disk; what Pillow says of a picture has no number
            raise broken from None
        return Photo(kind, content_type, width, height)


def _most_pixels(kind: PhotoKind) -> int:
    return MAX_BYTES // _BYTES_PER_PIXEL[kind] // 1_000_000 * 1_000_000


def _room_for(size: int) -> AbstractContextManager[object]:
    """Where a picture that takes so many bytes of memory may be decoded: a large one when no other is."""
    return _LARGE if size > SMALL_BYTES else nullcontext()


def _read(image: ImageFile.ImageFile, kind: PhotoKind, file: BinaryIO, broken: PhotoRefused) -> None:
    """Read all of its data."""
    width, height = image.size
    try:
        # A JPEG can be read whole at an eighth of its size: all its data is looked at, a fraction is kept.
        image.draft("RGB", (max(1, width // 8), max(1, height // 8)))
        image.load()
    except _BROKEN:
        raise broken from None
    if kind is PhotoKind.PNG and not _reaches_end(file):
        raise broken


def _reaches_end(png: BinaryIO) -> bool:
    """Whether the chunks of a PNG lead to its end mark, which Pillow does not insist on."""
    png.seek(8)
    while len(head := png.read(8)) == 8:
        if head[4:] == _PNG_END:
            return len(png.read(4)) == 4  # its checksum
        png.seek(int.from_bytes(head[:4]) + 4, 1)
    return False


def _megapixels(pixels: int) -> str:
    return f"{pixels / 1_000_000:,.1f}".removesuffix(".0")
