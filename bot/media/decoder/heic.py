"""Decode HEIC pictures in little memory, with libheif itself. Their rows are converted as those of AVIF."""

import ctypes
import mmap
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image
from pillow_heif import HeifImageFile

from bot.media.decoder.libavif import AvifError, Planes, created, run
from bot.media.decoder.libheif import LIBHEIF, Colours, HeifError, call
from bot.media.decoder.planes import rows
from bot.media.decoder.rows import Rows
from bot.media.decoder.structure.facts import Broken

TILE_THREADS = 2  # that decode tiles
_AS_IT_IS = 99  # heif_colorspace_undefined, heif_chroma_undefined
_COLOUR_SPACES = frozenset({0, 2})  # YCbCr and grey
_LUMA, _CHROMA, _ALPHA = 0, {1: 1, 2: 2}, 6  # heif_channel, of chroma by the place in avifImage
_LAYOUTS = {0: 4, 1: 3, 2: 2, 3: 1}  # heif_chroma to avifPixelFormat: none, 4:2:0, 4:2:2, 4:4:4
_SHARED = {3: (2, 2), 2: (2, 1), 1: (1, 1)}  # how many pixels across and down have one chroma
_UNKNOWN = 2  # of primaries, a transfer or a matrix
_SRGB = {"primaries": 1, "transfer": 13, "matrix": 6}


class _Unusual(Exception):
    """The planes are not as libavif expects them."""


class Heic:
    """A HEIC picture. pillow-heif reads what it is, and libheif decodes it, turned as it is to be shown."""

    def __init__(self, file: BinaryIO) -> None:
        opened: Any = HeifImageFile(file)
        self.size: tuple[int, int] = opened.size
        self._mode: str = opened.mode
        self._info: dict[Any, Any] = opened.info
        self._file = file

    def check(self) -> None:
        """Decode it completely and keep nothing."""
        with self._image():
            pass

    def decoded(self) -> Image.Image:
        """Return the picture, with its colour profile and EXIF data. Raises `Broken`."""
        try:
            picture = self._of_planes()
        except (_Unusual, AvifError):
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
        with Rows.kept(Path(self._file.name).parent) as kept:
            with self._image() as image, _planes_of(image) as planes:
                if (planes.width, planes.height) != self.size:
                    raise Broken
                kept.write(rows(planes, mode))
            picture = kept.picture(mode, self.size)
        if mode != self._mode:  # grey
            picture = picture.convert(self._mode)
        return picture

    @contextmanager
    def _image(self) -> Generator[ctypes.c_void_p]:
        library: Any = LIBHEIF
        context, handle, image = (
            ctypes.c_void_p(library.heif_context_alloc()),
            ctypes.c_void_p(),
            ctypes.c_void_p(),
        )
        library.heif_context_set_max_decoding_threads(context, TILE_THREADS)
        try:
            with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_COPY) as data:
                content = (ctypes.c_char * len(data)).from_buffer(data)
                size = ctypes.c_size_t(len(data))
                try:
                    call("heif_context_read_from_memory_without_copy", context, content, size, None)
                    call("heif_context_get_primary_image_handle", context, ctypes.byref(handle))
                    call("heif_decode_image", handle, ctypes.byref(image), _AS_IT_IS, _AS_IT_IS, None)
                finally:
                    library.heif_image_handle_release(handle)
                    library.heif_context_free(context)
                    del content  # or the file could not be closed
            yield image
        finally:
            library.heif_image_release(image)


@contextmanager
def _planes_of(image: ctypes.c_void_p) -> Generator[Planes]:
    """Describe the planes of an image to libavif. Raises `_Unusual` if it can't have them."""
    library: Any = LIBHEIF
    place = created("avifImageCreateEmpty")
    try:
        planes = Planes.from_address(place.value or 0)
        layout = _LAYOUTS.get(library.heif_image_get_chroma_format(image))
        if layout is None or library.heif_image_get_colorspace(image) not in _COLOUR_SPACES:
            raise _Unusual
        depth: int = library.heif_image_get_bits_per_pixel_range(image, _LUMA)
        facts: dict[str, Any] = _colours(image) | {"layout": layout, "depth": depth}
        width: int = library.heif_image_get_width(image, _LUMA)
        height: int = library.heif_image_get_height(image, _LUMA)
        facts |= {"width": width, "height": height}
        planes.planes[0], planes.strides[0] = _plane(image, _LUMA, depth, width, height)
        if layout in _SHARED:
            across, down = _SHARED[layout]
            for index, channel in _CHROMA.items():
                part = -(-width // across), -(-height // down)
                planes.planes[index], planes.strides[index] = _plane(image, channel, depth, *part)
        if library.heif_image_has_channel(image, _ALPHA):
            facts["alpha"], facts["alpha_stride"] = _plane(image, _ALPHA, depth, width, height)
            facts["is_premultiplied"] = library.heif_image_is_premultiplied_alpha(image)
        for name, value in facts.items():
            setattr(planes, name, value)
        yield planes
    finally:
        run("avifImageDestroy", place)  # the planes are not its own


def _plane(image: ctypes.c_void_p, channel: int, depth: int, width: int, height: int) -> tuple[int, int]:
    library: Any = LIBHEIF
    size = library.heif_image_get_width(image, channel), library.heif_image_get_height(image, channel)
    stride = ctypes.c_size_t()
    place = library.heif_image_get_plane_readonly2(image, channel, ctypes.byref(stride))
    has_depth = library.heif_image_get_bits_per_pixel_range(image, channel) == depth
    if not place or not has_depth or size != (width, height):
        raise _Unusual
    return place, stride.value


def _colours(image: ctypes.c_void_p) -> dict[str, int]:
    library: Any = LIBHEIF
    found = ctypes.c_void_p()
    try:
        call("heif_image_get_nclx_color_profile", image, ctypes.byref(found))
    except HeifError:
        return {**_SRGB, "is_full_range": 1}  # it has none
    colours = Colours.from_address(found.value or 0)
    told: dict[str, int] = {name: getattr(colours, name) for name in _SRGB}
    known = {name: value for name, value in told.items() if value != _UNKNOWN}
    is_full_range = bool(colours.is_full_range)
    library.heif_nclx_color_profile_free(found)
    return {**_SRGB, **known, "is_full_range": is_full_range}
