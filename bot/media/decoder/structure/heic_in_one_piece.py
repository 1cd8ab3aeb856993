"""HEIC pictures in one piece: what their boxes say of decoding them."""

import mmap
from collections.abc import Iterator

from bot.media.decoder.structure import hevc
from bot.media.decoder.structure.boxes import BoxFile, Item, alphas
from bot.media.decoder.structure.heic_turns import HEVC, turns
from bot.media.decoder.structure.shared_by_readers import Broken, unsigned

_POINTS = ("primaries", "transfer", "matrix")


def single_items(data: mmap.mmap, file: BoxFile) -> list[Item]:
    """Return the picture and any transparency of it if each is in one piece. Otherwise return nothing."""
    found = [file.items[item] for item in (file.primary, *alphas(data, file))]
    are_whole = all(item.kind in HEVC and box_of(item, b"hvcC") for item in found)
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
            points = {one: unsigned(data, start + 4 + 2 * index, 2) for index, one in enumerate(_POINTS)}
            return points, bool(unsigned(data, start + 10, 1) >> 7)
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
