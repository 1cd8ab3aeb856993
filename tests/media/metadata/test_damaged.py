"""Damaged and hostile files: what is made of them decodes to the same pixels, or they are refused."""

import operator
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st
from PIL import Image

from bot.media.metadata import BrokenStructure, strip_metadata
from tests.media.damage import DAMAGES, damaged
from tests.media.metadata.photos import (
    AI,
    ORIENTATION,
    actions,
    app11,
    exif,
    jumbf,
    phone_jpeg,
    phone_png,
    phone_webp,
    pixels,
    plain_jpeg,
    with_segments,
)
from tests.media.metadata.stripped import opened

SIZE = (40, 24)
PHOTOS = (
    phone_jpeg(image=pixels(SIZE), source=AI),
    phone_jpeg(image=pixels(SIZE), progressive=True),
    phone_jpeg(image=pixels(SIZE), restart_marker_blocks=1),
    with_segments(plain_jpeg(pixels(SIZE)), *app11(jumbf(actions(AI)), room=20)),
    phone_png(image=pixels(SIZE, "RGBA"), source=AI),
    phone_webp(image=pixels(SIZE), source=AI),
    phone_webp(image=pixels(SIZE), lossless=True),
)
UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
    RuntimeError,
    Image.DecompressionBombError,
)


def seen(data: bytes) -> tuple[Any, int] | None:
    """What a decoder makes of it: how it looks, and how it is turned. None if it makes nothing of it."""
    try:
        image = opened(data)
        if image.width * image.height > 1_000_000:
            return None
        image.load()
        looks = image.size, image.tobytes(), image.info.get("icc_profile")
        return looks, image.getexif().get(ORIENTATION, 1)
    except UNREADABLE:
        return None


# What is no photo of these kinds at all is stripped as little.
NONSENSE = st.builds(
    operator.add, st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP"]), st.binary()
)


@settings(max_examples=600)
@given(st.builds(damaged, st.sampled_from(PHOTOS), DAMAGES) | NONSENSE)
def test_a_damaged_photo_is_refused_or_looks_the_same(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = seen(data)
        path = Path(folder) / "photo"
        path.write_bytes(data)
        try:
            strip_metadata(path)
        except BrokenStructure:
            assert path.read_bytes() == data
            return
        after = seen(path.read_bytes())
        if before is not None:
            assert after is not None
            assert after[0] == before[0]
            if exif()[6:] in data:  # decoders differ in what they make of damaged Exif data
                assert after[1] == before[1]
