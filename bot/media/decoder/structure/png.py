"""PNG: chunks up to IEND. https://www.w3.org/TR/png-3/"""

import mmap
import zlib
from collections.abc import Iterator

from bot.media.decoder.structure.shared_by_readers import Broken, NotAPhoto, Structure, unsigned

MAX_PNG_CHUNKS = 50_000  # 8 kB each is usual: 50 MB have 6,000
MAX_DEFLATED_TEXTS = 100  # Pillow inflates each, up to 1 MB, before and behind the picture
MAX_DEFLATE_RATIO = 1_032  # how much smaller deflate makes data at the very most
MAX_LOADED_PIXELS = 64_000_000  # of one that Pillow is given to be checked; of others the data is inflated
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_PIECE = 1 << 16  # bytes that are inflated at a time, to at most `_INFLATED`
_INFLATED = 1 << 20


def read(data: mmap.mmap) -> Structure:
    """Walk to the end mark, which Pillow does not insist on."""
    if data[12:16] != b"IHDR" or unsigned(data, 8, 4) != 13:
        raise Broken
    width, height = unsigned(data, 16, 4), unsigned(data, 20, 4)
    depth, colours = unsigned(data, 24, 1), unsigned(data, 25, 1)
    if colours not in _CHANNELS or depth not in {1, 2, 4, 8, 16}:
        raise Broken
    compressed, is_moving = _chunks(data)
    raw = (width * depth * _CHANNELS[colours] + 7) // 8 * height
    pixels = width * height
    size = pixels * (4 if colours in {2, 4, 6} else 2 if depth == 16 else 1)
    opened = size * 3 if is_moving else size
    checked = opened if pixels <= MAX_LOADED_PIXELS else 2 * _INFLATED
    is_whole = raw <= compressed * MAX_DEFLATE_RATIO + 1_000
    return Structure(width, height, checked, opened, opened + pixels * 4, is_whole)


def lacks_rows(data: mmap.mmap) -> bool:
    """Return whether the first picture's compressed data, which `read` has walked over, ends too early.

    Decoders leave the other rows empty and say nothing. The data is inflated, and nothing is kept of it.
    Raises zlib.error if it is damaged.
    """
    lacking, inflating = _inflated_size(data), zlib.decompressobj()
    for piece in _compressed(data):
        while piece and lacking > 0 and not inflating.eof:
            lacking -= len(inflating.decompress(piece, min(lacking, _INFLATED)))
            piece = inflating.unconsumed_tail
        if lacking <= 0:
            return False
    return lacking > len(inflating.flush())


def _compressed(data: mmap.mmap) -> Iterator[bytes]:
    at, name = 8, b""
    while name != b"IEND":
        length, name = unsigned(data, at, 4), data[at + 4 : at + 8]
        begin, end = at + 8, at + 8 + length
        for piece in range(begin, end, _PIECE) if name == b"IDAT" else ():
            yield data[piece : min(piece + _PIECE, end)]
        at = end + 4


def _inflated_size(data: mmap.mmap) -> int:
    """Return the bytes of all rows with their filters, of an interlaced picture those of its seven passes."""
    width, height = unsigned(data, 16, 4), unsigned(data, 20, 4)
    bits = unsigned(data, 24, 1) * _CHANNELS[unsigned(data, 25, 1)]
    size = 0
    for left, top, across, down in _PASSES if data[28] else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        size += rows * (1 + -(-columns * bits // 8)) if columns > 0 and rows > 0 else 0
    return size


def _chunks(data: mmap.mmap) -> tuple[int, bool]:
    """Return the bytes of compressed picture, and whether there are further frames."""
    compressed, is_moving, at = 0, False, 8
    profiles = texts = 0
    for _ in range(MAX_PNG_CHUNKS):
        length, name = unsigned(data, at, 4), data[at + 4 : at + 8]
        if name == b"IEND":
            unsigned(data, at + 8, 4)  # its checksum
            return compressed, is_moving
        compressed += length if name == b"IDAT" else 0
        is_moving |= name == b"acTL"
        profiles += name == b"iCCP"
        texts += name == b"zTXt" or (
            name == b"iTXt" and _is_deflated(data[at + 8 : at + 8 + min(length, 82)])
        )
        if profiles > 1 or texts > MAX_DEFLATED_TEXTS:  # the standard allows one profile
            raise NotAPhoto
        at += length + 12
        if at > len(data):
            raise Broken
    raise NotAPhoto


def _is_deflated(text: bytes) -> bool:
    """Return whether an iTXt chunk is compressed, by its beginning: keyword, zero, flag."""
    return text.partition(b"\0")[2][:1] == b"\1"
