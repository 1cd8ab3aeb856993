"""PNG: chunks up to IEND. https://www.w3.org/TR/png-3/"""

import mmap

from bot.media.decoder.structure.facts import Broken, NotAPhoto, Structure, number

MAX_CHUNKS = 50_000  # 8 kB each is usual: 50 MB have 6,000
MAX_DEFLATED_TEXTS = 100  # Pillow inflates each, up to 1 MB, before and behind the picture
MOST_DEFLATED = 1_032  # how much smaller deflate makes data at the very most
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def read(data: mmap.mmap) -> Structure:
    """Walk to the end mark, which Pillow does not insist on."""
    if data[12:16] != b"IHDR" or number(data, 8, 4) != 13:
        raise Broken
    width, height = number(data, 16, 4), number(data, 20, 4)
    depth, colours = number(data, 24, 1), number(data, 25, 1)
    if colours not in _CHANNELS or depth not in {1, 2, 4, 8, 16}:
        raise Broken
    compressed, is_moving = _chunks(data)
    raw = (width * depth * _CHANNELS[colours] + 7) // 8 * height
    pixels = width * height
    size = pixels * (4 if colours in {2, 4, 6} else 2 if depth == 16 else 1)
    opened = size * 3 if is_moving else size
    return Structure(
        width, height, opened, opened, opened + pixels * 4, raw <= compressed * MOST_DEFLATED + 1_000
    )


def _chunks(data: mmap.mmap) -> tuple[int, bool]:
    """Return the bytes of compressed picture, and whether there are further frames."""
    compressed, is_moving, at = 0, False, 8
    profiles = texts = 0
    for _ in range(MAX_CHUNKS):
        length, name = number(data, at, 4), data[at + 4 : at + 8]
        if name == b"IEND":
            number(data, at + 8, 4)  # its checksum
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
