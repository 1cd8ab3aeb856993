"""Open pictures, with the Pillow class for the kind that their bytes show."""

import mmap
import struct
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pillow_heif.options
from PIL import AvifImagePlugin, Image

from bot.media.convert import (
    MAX_FITTED_PIXELS,
    MAX_LIGHT_PIXELS,
    first_picture,
    fitted,
    shrunk,
    write,
    write_light,
)
from bot.media.decoder.native_pictures import NATIVE
from bot.media.decoder.reading import decoded, open_picture, read_whole
from bot.media.decoder.structure import Broken, NotAPhoto, Structure, structure_of
from bot.media.kinds import HEAD_BYTES, PhotoKind, sniff
from bot.media.metadata import MADE_BY_AI, digital_source_in, is_by_ai, with_digital_source, xmp_packet

PLUGIN_THREADS = 2
MAX_JPEG_XMP = 65_502  # bytes: what one segment holds
_MAX_TOLD_BYTES = (1 << 50) - 1  # of memory; more is no answer (see `bot.media.decoder_answers`)
# The file is in memory as well.
_READ_WHOLE = frozenset({PhotoKind.WEBP, PhotoKind.HEIC, PhotoKind.AVIF}) - NATIVE.keys()
FITTING_BYTES_PER_PIXEL = 20  # of the smaller picture; measured, as are the next
LIGHT_BYTES_PER_PIXEL = 36  # of a picture that becomes a WebP
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
    with _opened(path) as (kind, file), mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            found = structure_of(kind, data)
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


def inspect(
    path: Path, into: Path, pixels: int, most: int, room: int, *, light: bool = False
) -> dict[str, Any]:
    """Decode a photo completely. If Studii does not accept its kind, write it converted to `into`.

    One that is transparent and would have more than `most` bytes becomes a WebP, if `room` bytes of memory
    are enough for that. Otherwise it is `heavy`; nothing is to be done with `into` then (see `lighten`).
    `light`: a WebP is made of it in any case.
    """
    with _opened(path) as (kind, file):
        mark = None if kind.is_accepted else _digital_source(file)
        opened = open_picture(kind, file, pixels)
        width, height = opened.size
        if kind.is_accepted:
            read_whole(kind, opened, file)
            return {"kind": kind.name, "width": width, "height": height, "type": kind.content_type}
        # Nothing holds on to the picture itself when what it was shrunk to is written.
        opened = first_picture(decoded(kind, opened))
        content_type = None if light else write(opened, into, mark, most)
        if content_type is None:
            if _lightening_memory(width * height) > room:
                return {"heavy": True}
            opened = shrunk(opened, MAX_LIGHT_PIXELS)
            content_type = write_light(opened, into, mark, most)
    return {"kind": kind.name, "width": width, "height": height, "type": content_type}


def lighten(path: Path, into: Path, pixels: int, most: int) -> dict[str, Any]:
    """Write a transparent photo to `into` as a WebP of at most `most` bytes, and with fewer pixels."""
    return inspect(path, into, pixels, most, _MAX_TOLD_BYTES, light=True)


def check(path: Path, pixels: int) -> None:
    """Decode a picture completely."""
    with _opened(path) as (kind, file):
        read_whole(kind, open_picture(kind, file, pixels), file)


def fit(path: Path, limit: int, pixels: int, *, made: bool = False) -> bytes:
    """Return the picture as a JPEG of at most `limit` bytes; none at all if there is no way to that.

    One that is `made` by AI says so and keeps its XMP; of a photo only the mark is kept.
    """
    with _opened(path) as (kind, file):
        mark = _digital_source(file)
        opened = open_picture(kind, file, pixels)
        xmp = _xmp_of(opened, mark) if made else xmp_packet(mark)
        # Nothing holds on to the picture itself when what it was shrunk to is made to fit.
        opened = _shrunk(kind, opened)
        return fitted(opened, limit, xmp) or b""


def label(path: Path, limit: int, pixels: int, words: str, corner: str) -> bytes:
    """Return a JPEG of at most `limit` bytes of a picture made by AI, with words in one of its corners."""
    # Imported here: few pictures are drawn on, and each process would keep the fonts' library.
    from bot.media.drawing import labelled

    picture, xmp = _made_by_ai(path, pixels)
    return fitted(labelled(picture, words, corner), limit, xmp) or b""


def split(
    path: Path, before: Path, limit: int, pixels: int, before_pixels: int, labels: tuple[str, str]
) -> bytes:
    """Return a JPEG of at most `limit` bytes, half of it the picture before and half the one at `path`."""
    # Imported here: few pictures are drawn on, and each process would keep the fonts' library.
    from bot.media.drawing import draw_halves

    picture, xmp = _made_by_ai(path, pixels)
    with _opened(before) as (kind, file):
        earlier = first_picture(_shrunk(kind, open_picture(kind, file, before_pixels)))
    return fitted(draw_halves(earlier, picture, labels), limit, xmp) or b""


def _made_by_ai(path: Path, pixels: int) -> tuple[Image.Image, bytes]:
    """Return a picture made by AI, shrunk, and the XMP packet for a copy of it."""
    with _opened(path) as (kind, file):
        mark = _digital_source(file)
        opened = open_picture(kind, file, pixels)
        xmp = _xmp_of(opened, mark)
        return first_picture(_shrunk(kind, opened)), xmp


def _xmp_of(opened: Any, mark: str | None) -> bytes:
    """Return the XMP packet for a copy of a picture made by AI: its own, which says so."""
    source = mark if mark is not None and is_by_ai(mark) else MADE_BY_AI
    xmp = opened.info.get("xmp")
    own = with_digital_source(xmp, source) if isinstance(xmp, bytes) else b""
    return own if 0 < len(own) <= MAX_JPEG_XMP else xmp_packet(source)


def _memory(what: str, kind: PhotoKind, found: Structure) -> int:
    if what == "lighten":
        return max(found.converted, _lightening_memory(found.width * found.height))
    if what in {"fit", "label", "split"}:
        pixels = found.width * found.height
        opened = found.opened
        if _is_halved(kind, pixels):
            pixels //= 4
            # Of several scans the coefficients are kept at full size.
            opened = found.checked + pixels * 4
        smaller = min(pixels, MAX_FITTED_PIXELS)
        return max(
            opened, pixels * 4 + smaller * SHRINKING_BYTES_PER_PIXEL, smaller * FITTING_BYTES_PER_PIXEL
        )
    return found.checked if what == "check" or kind.is_accepted else found.converted


def _lightening_memory(pixels: int) -> int:
    """Return the bytes that making a decoded picture into a WebP takes, with the picture itself."""
    smaller = min(pixels, MAX_LIGHT_PIXELS)
    return max(pixels * 4 + smaller * SHRINKING_BYTES_PER_PIXEL, smaller * LIGHT_BYTES_PER_PIXEL)


def _digital_source(file: BinaryIO) -> str | None:
    mark = digital_source_in(file)
    file.seek(0)
    return mark


@contextmanager
def _opened(path: Path) -> Generator[tuple[PhotoKind, BinaryIO]]:
    """Open a picture's file. What shows that it is broken becomes a refusal."""
    with path.open("rb") as file:
        kind = sniff(file.read(HEAD_BYTES))
        if kind is None:
            raise Refusal("unknown")
        file.seek(0)
        try:
            yield kind, file
        except _BROKEN as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # of the disk; what Pillow says of a picture has no number
            raise Refusal("broken", kind=kind.name) from None


def _shrunk(kind: PhotoKind, opened: Any) -> Image.Image:
    """Decode a picture that is to be made to fit."""
    width, height = opened.size
    if _is_halved(kind, width * height):
        opened.draft(opened.mode, (width // 2, height // 2))
    return shrunk(decoded(kind, opened))


def _is_halved(kind: PhotoKind, pixels: int) -> bool:
    """Return whether half of its width and height is decoded, which is enough for what it is shrunk to."""
    return kind is PhotoKind.JPEG and pixels > 2 * MAX_FITTED_PIXELS
