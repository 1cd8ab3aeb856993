"""Open pictures, with the Pillow class for the kind that their bytes show."""

import mmap
import struct
import zlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pillow_heif.options
from PIL import AvifImagePlugin, Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from bot.media.convert import MAX_FITTED_PIXELS, first_picture, fitted, shrunk, write
from bot.media.decoder.native import NATIVE
from bot.media.decoder.structure import Broken, NotAPhoto, Structure, jpeg, png, structure_of
from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.metadata import MADE_BY_AI, digital_source_in, is_by_ai, with_digital_source, xmp_packet

PLUGIN_THREADS = 2
MAX_JPEG_XMP = 65_502  # bytes: what one segment holds
_MAX_TOLD_BYTES = (1 << 50) - 1  # of memory; more is no answer (see `bot.media.answers`)
# The file is in memory as well.
_READ_WHOLE = frozenset({PhotoKind.WEBP, PhotoKind.HEIC, PhotoKind.AVIF}) - NATIVE.keys()
EVEN_BLOCKS = 1_600  # of 8 by 8 pixels; as many take more than `jpeg.REPEATED` bytes
FITTING_BYTES_PER_PIXEL = 20  # of the smaller picture; measured, as is the next
SHRINKING_BYTES_PER_PIXEL = 6  # of the smaller picture, beside the larger one
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    RuntimeError,  # what the AVIF library says of a broken file
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    Broken,
)


class Refusal(Exception):
    """The file can't be used. `why` is `unknown`, `broken`, `structure` or `pixels`."""

    def __init__(self, why: str, **facts: object) -> None:
        super().__init__(why)
        self.why = why
        self.facts = facts


def prepare() -> None:
    """Configure the libraries: few threads, and no decoding of thumbnails and other images."""
    AvifImagePlugin.DEFAULT_MAX_THREADS = PLUGIN_THREADS
    pillow_heif.options.DECODE_THREADS = PLUGIN_THREADS
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    # Sizes are checked by us, before a picture is opened.
    Image.MAX_IMAGE_PIXELS = None


def probe(path: Path, what: str) -> dict[str, Any]:
    """Return a file's kind, size and memory for the request `what`, from its structure only."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        if kind is None:
            raise Refusal("unknown")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                found = structure_of(kind, data)
            except Broken:
                raise Refusal("broken", kind=kind.name) from None
            except NotAPhoto:
                raise Refusal("structure", kind=kind.name) from None
            size = len(data)
    return {
        "kind": kind.name,
        "width": found.width,
        "height": found.height,
        "memory": min(_memory(what, kind, found) + (size if kind in _READ_WHOLE else 0), _MAX_TOLD_BYTES),
        "whole": found.is_whole,
    }


def inspect(path: Path, into: Path, pixels: int) -> dict[str, Any]:
    """Decode a photo completely. If Studii does not accept its kind, write it converted to `into`."""
    with _opened(path) as (kind, file), _refusing(kind):
        mark = None if kind.is_accepted else _digital_source(file)
        opened = _open(kind, file, pixels)
        width, height = opened.size
        if kind.is_accepted:
            _read(kind, opened, file)
            return {"kind": kind.name, "width": width, "height": height, "type": kind.content_type}
        picture = first_picture(_decoded(kind, opened))
        content_type = write(picture, into, mark)
    return {"kind": kind.name, "width": width, "height": height, "type": content_type}


def check(path: Path, pixels: int) -> None:
    """Decode a picture completely."""
    with _opened(path) as (kind, file), _refusing(kind):
        _read(kind, _open(kind, file, pixels), file)


def fit(path: Path, limit: int, pixels: int, *, made: bool = False) -> bytes:
    """Return the picture as a JPEG of at most `limit` bytes; none at all if there is no way to that.

    One that is `made` by AI says so and keeps its XMP; of a photo only the mark is kept.
    """
    with _opened(path) as (kind, file), _refusing(kind):
        mark = _digital_source(file)
        opened = _open(kind, file, pixels)
        xmp = _xmp_of(opened, mark) if made else xmp_packet(mark)
        # Nothing holds on to the picture itself when what it was shrunk to is made to fit.
        return fitted(shrunk(_decoded(kind, opened)), limit, xmp) or b""


def label(path: Path, limit: int, pixels: int, words: str, corner: str) -> bytes:
    """Return a JPEG of at most `limit` bytes of a picture made by AI, with words in one of its corners."""
    # Imported here: few pictures are drawn on, and each process would keep the fonts' library.
    from bot.media.drawing import labelled

    with _opened(path) as (kind, file), _refusing(kind):
        mark = _digital_source(file)
        opened = _open(kind, file, pixels)
        xmp = _xmp_of(opened, mark)
        picture = first_picture(shrunk(_decoded(kind, opened)))
    return fitted(labelled(picture, words, corner), limit, xmp) or b""


def split(
    path: Path, before: Path, limit: int, pixels: int, before_pixels: int, labels: tuple[str, str]
) -> bytes:
    """Return a JPEG of at most `limit` bytes, half of it the picture before and half the one at `path`."""
    # Imported here: few pictures are drawn on, and each process would keep the fonts' library.
    from bot.media.drawing import split as drawn

    with _opened(path) as (kind, file), _refusing(kind):
        mark = _digital_source(file)
        opened = _open(kind, file, pixels)
        xmp = _xmp_of(opened, mark)
        after = first_picture(shrunk(_decoded(kind, opened)))
    with _opened(before) as (kind, file), _refusing(kind):
        earlier = first_picture(shrunk(_decoded(kind, _open(kind, file, before_pixels))))
    return fitted(drawn(earlier, after, labels), limit, xmp) or b""


def _xmp_of(opened: Any, mark: str | None) -> bytes:
    """Return the XMP packet for a copy of a picture made by AI: its own, which says so."""
    source = mark if mark is not None and is_by_ai(mark) else MADE_BY_AI
    xmp = opened.info.get("xmp")
    own = with_digital_source(xmp, source) if isinstance(xmp, bytes) else b""
    return own if 0 < len(own) <= MAX_JPEG_XMP else xmp_packet(source)


def _memory(what: str, kind: PhotoKind, found: Structure) -> int:
    if what in {"fit", "label", "split"}:
        pixels = found.width * found.height
        smaller = min(pixels, MAX_FITTED_PIXELS)
        return max(
            found.opened, pixels * 4 + smaller * SHRINKING_BYTES_PER_PIXEL, smaller * FITTING_BYTES_PER_PIXEL
        )
    return found.checked if what == "check" or kind.is_accepted else found.converted


def _digital_source(file: BinaryIO) -> str | None:
    mark = digital_source_in(file)
    file.seek(0)
    return mark


@contextmanager
def _opened(path: Path) -> Generator[tuple[PhotoKind, BinaryIO]]:
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        if kind is None:
            raise Refusal("unknown")
        file.seek(0)
        yield kind, file


@contextmanager
def _refusing(kind: PhotoKind) -> Generator[None]:
    try:
        yield
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk; what Pillow says of a picture has no number
        raise Refusal("broken", kind=kind.name) from None


_CLASSES: dict[PhotoKind, type[ImageFile.ImageFile]] = {
    PhotoKind.JPEG: JpegImageFile,
    PhotoKind.PNG: PngImageFile,
    PhotoKind.WEBP: WebPImageFile,
    PhotoKind.HEIC: HeifImageFile,
    PhotoKind.AVIF: AvifImageFile,
    PhotoKind.GIF: GifImageFile,
    PhotoKind.TIFF: TiffImageFile,
    PhotoKind.BMP: BmpImageFile,
}


def _open(kind: PhotoKind, file: BinaryIO, pixels: int) -> Any:
    """Open without decoding. Raises `Broken` if it has more pixels than the structure says."""
    opened: Any = NATIVE.get(kind, _CLASSES[kind])(file)
    width, height = opened.size
    if width * height > pixels:
        raise Broken
    return opened


def _read(kind: PhotoKind, opened: Any, file: BinaryIO) -> None:
    """Decode all data, and keep as little as possible."""
    if kind in NATIVE:
        opened.check()
        return
    reading = _READ.get(kind)
    if reading is not None:
        reading(opened)
        return
    # A JPEG can be read whole at an eighth of its size: all its data is looked at, a fraction is kept.
    whole_size = opened.size
    opened.draft("RGB", (max(1, opened.width // 8), max(1, opened.height // 8)))
    opened.load()
    if kind is PhotoKind.JPEG:
        is_eighth = opened.size == tuple(-(-side // 8) for side in whole_size)
        _expect_end(opened, file, is_eighth=is_eighth)
    elif kind is PhotoKind.PNG:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if png.lacks_rows(data):
                raise Broken


def _expect_end(opened: Any, file: BinaryIO, *, is_eighth: bool) -> None:
    """Raise `Broken` if a JPEG's data ends early although its end is marked.

    The decoder fills up what is missing, and says nothing. A picture may end in the grey that it fills up
    with, but then its data says so.
    """
    is_progressive = bool(opened.info.get("progressive") or opened.info.get("progression"))
    if not is_progressive and not (is_eighth and _ends_in_grey(opened)):
        return
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if jpeg.ends_early(data):
            raise Broken


def _ends_in_grey(eighth: Any) -> bool:
    rows = max(1, -(-EVEN_BLOCKS // eighth.width))
    if rows >= eighth.height or eighth.mode not in {"L", "RGB"}:
        return False
    ending = eighth.crop((0, eighth.height - rows, eighth.width, eighth.height))
    return all(band == (128, 128) for band in map(Image.Image.getextrema, ending.split()))


def _decoded(kind: PhotoKind, opened: Any) -> Image.Image:
    """Return the decoded picture. The library's own buffers are freed before."""
    if kind in NATIVE:
        return opened.decoded()
    reading = _READ.get(kind)
    if reading is None:
        opened.seek(0)
        opened.load()
        return opened
    mode, size, info = opened.mode, opened.size, opened.info
    data, raw_mode = reading(opened)
    picture = Image.frombytes(mode, size, data, "raw", raw_mode)
    picture.info = info
    return picture


def _read_avif(opened: Any) -> tuple[bytes, str]:
    data: bytes = opened._decoder.get_frame(0)[0]  # noqa: SLF001 - Pillow holds on to it for longer
    opened._decoder = None  # noqa: SLF001
    return data, opened.mode


def _read_webp(opened: Any) -> tuple[bytes, str]:
    frame: tuple[bytes, int] | None = opened._decoder.get_next()  # noqa: SLF001 - Pillow makes a picture of it
    opened._decoder = None  # noqa: SLF001
    if frame is None:
        raise Broken
    return frame[0], opened.rawmode


_READ: dict[PhotoKind, Callable[[Any], tuple[bytes, str]]] = {
    PhotoKind.AVIF: _read_avif,
    PhotoKind.WEBP: _read_webp,
}
