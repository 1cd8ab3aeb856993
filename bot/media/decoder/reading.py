"""Open and decode a picture with the class for its kind: Pillow's, or one of ours that takes less memory."""

import mmap
from collections.abc import Callable
from typing import Any, BinaryIO

from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile
from pillow_heif import HeifImageFile

from bot.media.decoder.native_pictures import NATIVE
from bot.media.decoder.structure import Broken, jpeg, png
from bot.media.kinds import PhotoKind

EVEN_BLOCKS = 1_600  # of 8 by 8 pixels; as many take more than `jpeg.REPEATED` bytes


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


def open_picture(kind: PhotoKind, file: BinaryIO, pixels: int) -> Any:
    """Open without decoding. Raises `Broken` if it has more pixels than the structure says."""
    opened: Any = NATIVE.get(kind, _CLASSES[kind])(file)
    width, height = opened.size
    if width * height > pixels:
        raise Broken
    return opened


def read_whole(kind: PhotoKind, opened: Any, file: BinaryIO) -> None:
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
    if kind is not PhotoKind.PNG or opened.width * opened.height <= png.MAX_LOADED_PIXELS:
        opened.load()
    if kind is PhotoKind.JPEG:
        is_eighth = opened.size == tuple(-(-side // 8) for side in whole_size)
        _expect_end(opened, file, is_eighth=is_eighth)
        if opened.info.get("progressive"):
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if jpeg.lacks_levels(data):
                    raise Broken
    elif kind is PhotoKind.PNG:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if png.lacks_rows(data):
                raise Broken


def _expect_end(opened: Any, file: BinaryIO, *, is_eighth: bool) -> None:
    """Raise `Broken` if a JPEG's data ends early although its end is marked.

    The decoder fills up what is missing, and says nothing. A picture may end in the grey that it fills up
    with, but then its data says so.
    """
    if not is_eighth or not _ends_in_grey(opened):
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


def decoded(kind: PhotoKind, opened: Any) -> Image.Image:
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
