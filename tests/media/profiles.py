"""Colour profiles: small ones, of which each does something that is seen."""

import struct
from typing import Any

from PIL import ImageCms


def ink_profile(*, ink: tuple[int, int, int], paper: tuple[int, int, int]) -> bytes:
    """A profile for printing that gives paper without ink one colour, and any ink another; both in Lab."""
    ramp, colours = bytes(range(256)), [paper] + [ink] * 15
    identity = struct.pack(">9i", *(65_536 if place % 4 == 0 else 0 for place in range(9)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + identity + ramp * 4
    table += b"".join(map(bytes, colours)) + ramp * 3
    content = struct.pack(">I4sII", 1, b"A2B0", 144, len(table)) + table
    head = struct.pack(">I4sI", 128 + len(content), b"\0\0\0\0", 0x02400000) + b"prtrCMYKLab "
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    return head.ljust(128, b"\0") + content


def exchanged_profile() -> bytes:
    """sRGB, with the colour of blue where that of red is."""
    cms: Any = ImageCms
    whole: bytes = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    return whole.replace(b"rXYZ", b"____").replace(b"bXYZ", b"rXYZ").replace(b"____", b"bXYZ")


def grey_profile() -> bytes:
    """Grey values that are brighter than those of sRGB: their gamma is 1."""
    white = b"XYZ \0\0\0\0" + struct.pack(">III", 0xF6D6, 0x10000, 0xD32D)
    tags = {b"wtpt": white, b"kTRC": b"curv" + bytes(8)}
    at, table, content = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(content), len(data))
        content += data
    head = struct.pack(">I4sI", at + len(content), b"\0\0\0\0", 0x02400000) + b"mntrGRAYXYZ "
    head += bytes(12) + b"acsp" + bytes(28) + white[8:]
    return head.ljust(128, b"\0") + table + content
