"""The planes of a decoded HEIC picture, described to libavif, which converts them."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bot.media.decoder.libavif import Planes, call_void, created

_LAYOUTS = {0: 4, 1: 3, 2: 2, 3: 1}  # heif_chroma to avifPixelFormat: none, 4:2:0, 4:2:2, 4:4:4
_SHARED = {3: (2, 2), 2: (2, 1), 1: (1, 1)}  # how many pixels across and down have one chroma
_UNKNOWN = 2  # of primaries, a transfer or a matrix
_SRGB = {"primaries": 1, "transfer": 13, "matrix": 6}


class UnusualPlanes(Exception):
    """The planes are not as libavif expects them."""


@dataclass(frozen=True)
class Plane:
    """One plane: where it is, the bytes from row to row, the bits of a sample, and its size."""

    place: int
    stride: int
    depth: int
    width: int
    height: int


@dataclass(frozen=True)
class Channels:
    """Luma and, if there is any, chroma and transparency. `colours` are code points by name."""

    chroma: int
    planes: list[Plane]
    alpha: Plane | None
    colours: Mapping[str, int]
    is_full_range: bool
    is_premultiplied: bool


@contextmanager
def described(found: Channels) -> Generator[Planes]:
    """Describe the planes to libavif. Raises `UnusualPlanes` if it can't have them."""
    layout = _LAYOUTS.get(found.chroma)
    if layout is None:
        raise UnusualPlanes
    luma = found.planes[0]
    _ensure_fitting(found, layout)
    place = created("avifImageCreateEmpty")
    try:
        planes = Planes.from_address(place.value or 0)
        planes.width, planes.height, planes.depth, planes.layout = luma.width, luma.height, luma.depth, layout
        planes.is_full_range = found.is_full_range
        for name, unless_told in _SRGB.items():
            told = found.colours.get(name, _UNKNOWN)
            setattr(planes, name, unless_told if told == _UNKNOWN else told)
        for index, plane in enumerate(found.planes):
            planes.planes[index], planes.strides[index] = plane.place, plane.stride
        if found.alpha is not None:
            planes.alpha, planes.alpha_stride = found.alpha.place, found.alpha.stride
            planes.is_premultiplied = found.is_premultiplied
        yield planes
    finally:
        call_void("avifImageDestroy", place)  # the planes are not its own


def _ensure_fitting(found: Channels, layout: int) -> None:
    luma = found.planes[0]
    across, down = _SHARED.get(layout, (1, 1))
    chroma = -(-luma.width // across), -(-luma.height // down)
    wanted = [(luma.width, luma.height), *[chroma] * (2 if layout in _SHARED else 0)]
    planes = list(found.planes)
    if found.alpha is not None:
        wanted.append(wanted[0])
        planes.append(found.alpha)
    sizes = [(plane.width, plane.height) for plane in planes]
    if sizes != wanted or not all(plane.place and plane.depth == luma.depth for plane in planes):
        raise UnusualPlanes


def channel_count(chroma: int) -> int:
    """Return how many planes a picture of that `heif_chroma` has, without transparency."""
    return 1 if chroma == 0 else 3
