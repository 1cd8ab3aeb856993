"""Exif data reduced to what a decoder needs: which way up the picture is, and which colours it has.

https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E
"""

import struct
from dataclasses import dataclass
from typing import Literal

EXIF_PREFIX = b"Exif\0\0"
MAX_EXIF_ENTRIES = 1000  # of a directory

_ORIENTATION, _EXIF_IFD, _COLOR_SPACE, _INTEROP_IFD, _INTEROP_INDEX = 0x0112, 0x8769, 0xA001, 0xA005, 0x0001
_BYTE, _ASCII, _SHORT, _LONG = 1, 2, 3, 4
_COLOR_SPACES = frozenset({2, 0xFFFD, 0xFFFE, 0xFFFF})  # other than sRGB, which everybody assumes
_ADOBE_RGB = b"R03\0"  # the index of a picture in Adobe RGB that carries no profile

_Order = Literal["little", "big"]


@dataclass(frozen=True, slots=True)
class Exif:
    """The parts of a block of Exif data that are kept. `orientation` is None if the block does not say."""

    orientation: int | None = None
    color_space: int | None = None
    is_adobe_rgb: bool = False

    def encode(self) -> bytes:
        """Return it as a TIFF structure; empty if it says nothing that is not assumed anyway."""
        if self.orientation in {None, 1} and self.color_space is None:
            return b""
        first = [_short(_ORIENTATION, self.orientation)] if self.orientation not in {None, 1} else []
        if self.color_space is None:
            return _HEADER + _directory(first)
        second_at = len(_HEADER) + _directory_size(len(first) + 1)
        second = [_short(_COLOR_SPACE, self.color_space)]
        third = b""
        if self.is_adobe_rgb:
            second.append(_long(_INTEROP_IFD, second_at + _directory_size(2)))
            third = _directory([struct.pack(">HHI4s", _INTEROP_INDEX, _ASCII, 4, _ADOBE_RGB)])
        return _HEADER + _directory([*first, _long(_EXIF_IFD, second_at)]) + _directory(second) + third


def read_exif(data: bytes) -> Exif:
    """Read what is kept of a TIFF structure. What can't be read counts as not said."""
    order: _Order | None = {b"II*\0": "little", b"MM\0*": "big"}.get(data[:4])  # type: ignore[assignment]
    if order is None:
        return Exif()
    first = _entries(data, int.from_bytes(data[4:8], order), order)
    orientation = _number(first.get(_ORIENTATION), order)
    second = _entries(data, _number(first.get(_EXIF_IFD), order) or 0, order)
    color_space = _number(second.get(_COLOR_SPACE), order)
    third = _entries(data, _number(second.get(_INTEROP_IFD), order) or 0, order)
    index = third.get(_INTEROP_INDEX)
    return Exif(
        orientation if orientation is not None and 1 <= orientation <= 8 else None,
        color_space if color_space in _COLOR_SPACES else None,
        index is not None and index[8:] == _ADOBE_RGB,
    )


def reduced(data: bytes) -> tuple[Exif, bytes]:
    """Return what a chunk of Exif data says, and the chunk that says only that.

    Some programs put the prefix of JPEG before it; it stays, since decoders differ in whether they expect it.
    """
    prefix = EXIF_PREFIX if data.startswith(EXIF_PREFIX) else b""
    exif = read_exif(data[len(prefix) :])
    encoded = exif.encode()
    return exif, prefix + encoded if encoded else b""


_HEADER = b"MM\0*" + struct.pack(">I", 8)


def _directory_size(entries: int) -> int:
    return 2 + 12 * entries + 4


def _directory(entries: list[bytes]) -> bytes:
    return struct.pack(">H", len(entries)) + b"".join(entries) + bytes(4)


def _short(tag: int, value: int | None) -> bytes:
    return struct.pack(">HHIHH", tag, _SHORT, 1, value or 0, 0)


def _long(tag: int, value: int) -> bytes:
    return struct.pack(">HHII", tag, _LONG, 1, value)


def _entries(data: bytes, at: int, order: _Order) -> dict[int, bytes]:
    """Return the entries of a directory by tag, as 12 bytes each; of two with one tag, the last."""
    if not 8 <= at <= len(data) - 2:
        return {}
    count = min(int.from_bytes(data[at : at + 2], order), MAX_EXIF_ENTRIES)
    entries = (data[start : start + 12] for start in range(at + 2, at + 2 + 12 * count, 12))
    return {int.from_bytes(entry[:2], order): entry for entry in entries if len(entry) == 12}


def _number(entry: bytes | None, order: _Order) -> int | None:
    """Return the value of an entry that holds one whole number."""
    if entry is None or int.from_bytes(entry[4:8], order) != 1:
        return None
    width = {_BYTE: 1, _SHORT: 2, _LONG: 4}.get(int.from_bytes(entry[2:4], order))
    return None if width is None else int.from_bytes(entry[8 : 8 + width], order)
