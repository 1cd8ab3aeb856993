"""BMP: the header. https://learn.microsoft.com/windows/win32/gdi/bitmap-storage"""

import mmap

from bot.media.decoder.structure.shared_by_readers import NotAPhoto, Structure, unsigned

_RUN_LENGTHS = frozenset({1, 2})
MAX_RUN_LENGTH_PIXELS = 12_000_000  # Pillow decodes them byte by byte in Python
_SLACK = 64  # bytes that programs leave out at the end


def read(data: mmap.mmap) -> Structure:
    """Read one of both kinds of header."""
    start, size = unsigned(data, 10, 4, little=True), unsigned(data, 14, 4, little=True)
    if size == 12:
        width, height = unsigned(data, 18, 2, little=True), unsigned(data, 20, 2, little=True)
        depth, compression = unsigned(data, 24, 2, little=True), 0
    else:
        width, height = unsigned(data, 18, 4, little=True), unsigned(data, 22, 4, little=True)
        height = min(height, (1 << 32) - height)  # a negative one begins at the top
        depth, compression = unsigned(data, 28, 2, little=True), unsigned(data, 30, 4, little=True)
    pixels = width * height
    if compression in _RUN_LENGTHS and pixels > MAX_RUN_LENGTH_PIXELS:
        raise NotAPhoto
    opened = pixels * (4 if depth > 8 else 1)
    if compression in _RUN_LENGTHS:
        opened += pixels * 3
        is_whole = True
    else:
        is_whole = (width * depth + 31) // 32 * 4 * height <= len(data) - start + _SLACK
    converted = opened + pixels * (0 if depth >= 24 else 4)
    return Structure(width, height, opened, opened, converted, is_whole)
