"""Decode HEIC pictures in little memory: those in one piece with libde265, those in tiles with libheif.

Their rows are converted as those of AVIF, and pictures are turned and cut afterwards.
"""

import mmap
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from PIL import Image
from pillow_heif import HeifImageFile

from bot.media.decoder import libde265, libheif
from bot.media.decoder.channels import Channels, UnusualPlanes, described
from bot.media.decoder.libavif import AvifError
from bot.media.decoder.picture_rows import DescribedPicture, Rows
from bot.media.decoder.planes import pixel_rows
from bot.media.decoder.structure.boxes import BoxFile
from bot.media.decoder.structure.heic_in_one_piece import (
    is_premultiplied,
    single_items,
    told_colours,
    units_of,
)
from bot.media.decoder.structure.heic_turns import (
    Size,
    Turn,
    cut,
    is_upside_down,
    quarters,
    size_after,
    turns,
)
from bot.media.decoder.structure.shared_by_readers import Broken

_ROTATIONS = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
_REFLECTIONS = (Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.FLIP_TOP_BOTTOM)


class Heic(DescribedPicture):
    """A HEIC picture, which libde265 or libheif decodes."""

    _plugin = HeifImageFile

    def check(self) -> None:
        """Decode it completely and keep nothing."""
        with suppress(UnusualPlanes), self._channels():
            pass

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        try:
            picture = self._of_planes()
        except (UnusualPlanes, AvifError):
            return self._of_pixels()
        picture.info = self._info
        return picture

    def _of_pixels(self) -> Image.Image:
        """Return what libheif converts, which takes more memory."""
        self._file.seek(0)
        opened: Any = HeifImageFile(self._file)
        opened.load()
        return opened

    def _of_planes(self) -> Image.Image:
        mode = "RGBA" if self._mode in {"RGBA", "LA"} else "RGB"
        with Rows.kept(self._file) as kept:
            with self._channels() as (channels, turned), described(channels) as planes:
                size = planes.width, planes.height
                if _size(channels, turned) != self.size:
                    raise Broken
                kept.write(pixel_rows(planes, mode, is_exact=not channels.is_full_range))
            picture = kept.picture(mode, size)
        if mode != self._mode:  # grey
            picture = picture.convert(self._mode)
        for turn in turned:
            picture = _turn(picture, turn)
        return picture

    @contextmanager
    def _channels(self) -> Generator[tuple[Channels, list[Turn]]]:
        """Decode it. Return the planes, and how they are to be turned. Raises `UnusualPlanes`."""
        with ExitStack() as stack:
            with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) as data:
                boxes = BoxFile(data)
                turned = turns(data, boxes)
                found = _direct(data, boxes, stack)
                if found is None or _size(found, turned or []) != self.size:
                    stack.close()
                    image = stack.enter_context(libheif.decoded_image(data, is_turned=turned is None))
                    found = libheif.channels_of(image)
            yield found, turned or []


def _direct(data: mmap.mmap, boxes: BoxFile, stack: ExitStack) -> Channels | None:
    """Decode a picture in one piece until the stack is closed. Return None if it is not."""
    items = single_items(data, boxes) if libde265.LIBDE265 is not None else []
    if not items:
        return None
    first, *second = [
        stack.enter_context(libde265.first_picture_of(units_of(data, boxes, item))) for item in items
    ]
    told = told_colours(data, items[0])
    alpha = second[0] if second else None
    return libde265.channels_of(first, alpha, told, is_premultiplied=is_premultiplied(boxes))


def _size(found: Channels, turned: list[Turn]) -> Size:
    luma = found.planes[0]
    return size_after((luma.width, luma.height), turned)


def _turn(picture: Image.Image, turn: Turn) -> Image.Image:
    name, _ = turn
    if name == b"clap":
        return picture.crop(cut(turn, picture.size))
    how = _ROTATIONS[quarters(turn)] if name == b"irot" else _REFLECTIONS[is_upside_down(turn)]
    return picture if how is None else picture.transpose(how)
