"""What the boxes of a HEIC file say of decoding its picture: whether it is in one piece, turned and cut."""

import mmap
from collections.abc import Iterator

from bot.media.decoder.structure import hevc
from bot.media.decoder.structure.boxes import BoxFile, Item
from bot.media.decoder.structure.facts import Broken, number

_HEVC = frozenset({b"hvc1", b"hev1"})
_TURNS = frozenset({b"irot", b"imir", b"clap"})
_ALPHA = (b"alpha", b"hevc:2015:auxid:1")
_POINTS = ("primaries", "transfer", "matrix")

Turn = tuple[bytes, bytes]
"""What is done with a picture after it is decoded: the name of a box and its content."""

Size = tuple[int, int]


def alphas(data: mmap.mmap, file: BoxFile) -> Iterator[int]:
    """Return the items that hold the primary one's transparency."""
    for (kind, source), targets in file.references.items():
        if kind == b"auxl" and file.primary in targets:
            names = [data[start:end] for name, start, end in file.items[source].properties if name == b"auxC"]
            if any(mark in name for name in names for mark in _ALPHA):
                yield source


def turns(data: mmap.mmap, file: BoxFile) -> list[Turn] | None:
    """Return how the decoded picture is to be turned and cut, in that order.

    None if its parts or its transparency are turned in another way.
    """
    primary = file.items[file.primary]
    parts = [file.items[part] for part in file.references.get((b"dimg", file.primary), [])]
    found = _turns_of(data, primary)
    if file.moov is not None or primary.kind not in {*_HEVC, b"grid"}:
        return None
    beside = [_turns_of(data, file.items[alpha]) for alpha in alphas(data, file)]
    are_parts_upright = all(_turns_of(data, part) == [] for part in parts)
    return found if are_parts_upright and all(turn == found for turn in beside) else None


def single_items(data: mmap.mmap, file: BoxFile) -> list[Item]:
    """Return the picture and any transparency of it if each is in one piece. Otherwise return nothing."""
    found = [file.items[item] for item in (file.primary, *alphas(data, file))]
    are_whole = all(item.kind in _HEVC and box_of(item, b"hvcC") for item in found)
    return found if len(found) <= 2 and are_whole and turns(data, file) is not None else []


def box_of(item: Item, name: bytes) -> tuple[int, int] | None:
    """Return where the content of an item's first property of that name starts and ends."""
    return next(((start, end) for kind, start, end in item.properties if kind == name), None)


def is_premultiplied(file: BoxFile) -> bool:
    """Return whether the colours are multiplied with the transparency."""
    return any(kind == b"prem" and source == file.primary for kind, source in file.references)


def told_colours(data: mmap.mmap, item: Item) -> tuple[dict[str, int], bool] | None:
    """Return the code points of primaries, transfer and matrix, and whether the full range is used.

    None if the boxes say nothing of that; the coded data may.
    """
    for name, start, _ in item.properties:
        if name == b"colr" and data[start : start + 4] == b"nclx":
            points = {one: number(data, start + 4 + 2 * index, 2) for index, one in enumerate(_POINTS)}
            return points, bool(number(data, start + 10, 1) >> 7)
    return None


def units_of(data: mmap.mmap, file: BoxFile, item: Item) -> Iterator[bytes]:
    """Return an item's units of HEVC, with those that its settings hold before."""
    place = box_of(item, b"hvcC")
    if place is None:
        raise Broken
    settings, content = data[slice(*place)], file.content(item)
    yield from hevc.parameter_sets(settings)
    for start, end in hevc.units(settings, content):
        if end > len(content):
            raise Broken
        yield content[start:end]


def size_after(size: Size, turned: list[Turn]) -> Size:
    """Return width and height of a picture once it is turned and cut. Raises `Broken`."""
    for turn in turned:
        if turn[0] == b"clap":
            left, top, right, bottom = cut(turn, size)
            size = right - left, bottom - top
        elif quarters(turn) % 2:
            size = size[1], size[0]
    return size


def quarters(turn: Turn) -> int:
    """Return the quarters of a rotation, counter-clockwise; 0 if it is none."""
    name, content = turn
    return number(content, 0, 1) & 3 if name == b"irot" else 0


def is_upside_down(turn: Turn) -> bool:
    """Return whether a reflection swaps top and bottom, and not the sides."""
    return not number(turn[1], 0, 1) & 1


def cut(turn: Turn, size: Size) -> tuple[int, int, int, int]:
    """Return the part of a picture that is to be kept: left, top, right and bottom. Raises `Broken`."""
    width, width_parts, height, height_parts, x, x_parts, y, y_parts = (
        number(turn[1], 4 * index, 4) for index in range(8)
    )
    if not (width_parts and height_parts and x_parts and y_parts):
        raise Broken
    # The offset is that of the middle, and signed. Rounded as in libheif.
    part, whole = _start(size[0], (width, width_parts), (_signed(x), x_parts))
    left = max(0, part // whole)
    part, whole = _start(size[1], (height, height_parts), (_signed(y), y_parts))
    top = max(0, (part + whole // 2) // whole)
    right = min(size[0], left + (width + width_parts // 2) // width_parts)
    bottom = min(size[1], top + (height + height_parts // 2) // height_parts)
    if left >= right or top >= bottom:
        raise Broken
    return left, top, right, bottom


def _start(side: int, kept: tuple[int, int], offset: tuple[int, int]) -> tuple[int, int]:
    """Return offset + (side - kept) / 2, as a fraction."""
    return 2 * offset[0] * kept[1] + offset[1] * (side * kept[1] - kept[0]), 2 * offset[1] * kept[1]


def _signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


def _turns_of(data: mmap.mmap, item: Item) -> list[Turn]:
    return [(name, data[start:end]) for name, start, end in item.properties if name in _TURNS]
