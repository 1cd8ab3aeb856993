"""GIF: up to the first picture, which is the only one that is used.

https://www.w3.org/Graphics/GIF/spec-gif89a.txt
"""

import mmap

from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

MAX_BYTES_BEFORE_PICTURE = 1_000_000  # bytes before the first picture: Pillow joins comments piece by piece
_EXTENSION, _PICTURE = 0x21, 0x2C


def read(data: mmap.mmap) -> Structure:
    """Read a screen as large as Pillow makes it: as large as the first picture on it needs."""
    width, height = unsigned(data, 6, 2, little=True), unsigned(data, 8, 2, little=True)
    at = 13 + _palette(unsigned(data, 10, 1))
    first = at
    while (block := unsigned(data, at, 1)) != _PICTURE:
        if block != _EXTENSION:
            raise Broken
        at = _after_blocks(data, at + 2)
        if at - first > MAX_BYTES_BEFORE_PICTURE:
            raise NotAPhoto
    left, top, across, down = (unsigned(data, at + place, 2, little=True) for place in (1, 3, 5, 7))
    width, height = max(width, left + across), max(height, top + down)
    pixels = width * height
    return Structure(width, height, pixels * 5, pixels * 5, pixels * 6)


def _palette(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: mmap.mmap, at: int) -> int:
    while size := unsigned(data, at, 1):
        at += size + 1
    return at + 1
