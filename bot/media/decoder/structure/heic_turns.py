"""Turn and cut the size of a decoded HEIC picture as the file says (ISO 23008-12, 6.5)."""

import mmap

from bot.media.decoder.structure.boxes import BoxFile, Item, alphas
from bot.media.decoder.structure.shared_by_readers import Broken, unsigned

HEVC = frozenset({b"hvc1", b"hev1"})
_TURNS = frozenset({b"irot", b"imir", b"clap"})

Turn = tuple[bytes, bytes]
"""What is done with a picture after it is decoded: the name of a box and its content."""

Size = tuple[int, int]


def turns(data: mmap.mmap, file: BoxFile) -> list[Turn] | None:
    """Return how the decoded picture is to be turned and cut, in that order.

    None if its parts or its transparency are turned in another way.
    """
    primary = file.items[file.primary]
    parts = [file.items[part] for part in file.references.get((b"dimg", file.primary), [])]
    found = _turns_of(data, primary)
    if file.moov is not None or primary.kind not in {*HEVC, b"grid"}:
        return None
    beside = [_turns_of(data, file.items[alpha]) for alpha in alphas(data, file)]
    are_parts_upright = all(_turns_of(data, part) == [] for part in parts)
    return found if are_parts_upright and all(turn == found for turn in beside) else None


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
    return unsigned(content, 0, 1) & 3 if name == b"irot" else 0


def is_upside_down(turn: Turn) -> bool:
    """Return whether a reflection swaps top and bottom, and not the sides."""
    return not unsigned(turn[1], 0, 1) & 1


def cut(turn: Turn, size: Size) -> tuple[int, int, int, int]:
    """Return the part of a picture that is to be kept: left, top, right and bottom. Raises `Broken`."""
    width, width_parts, height, height_parts, x, x_parts, y, y_parts = (
        unsigned(turn[1], 4 * index, 4) for index in range(8)
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
