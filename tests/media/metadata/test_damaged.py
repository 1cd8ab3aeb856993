"""Damaged and hostile files: what is made of them decodes to the same pixels, or they are refused."""

import io
import struct
import tempfile
import warnings
import zlib
from pathlib import Path
from typing import Any

from hypothesis import given, settings, strategies as st
from PIL import Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from bot.media.metadata import BrokenStructure, strip_metadata
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
OPENERS: dict[bytes, type[ImageFile.ImageFile]] = {
    b"\xff\xd8": JpegImageFile,
    b"\x89P": PngImageFile,
    b"RI": WebPImageFile,
}
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

# A byte that is set, a piece that is cut out, a piece that is said twice, an end that is cut off.
set_byte = st.tuples(st.just("set"), st.floats(0, 1), st.integers(0, 255))
cut_out = st.tuples(st.just("cut"), st.floats(0, 1), st.integers(1, 40))
twice = st.tuples(st.just("twice"), st.floats(0, 1), st.integers(1, 400))
end = st.tuples(st.just("end"), st.floats(0, 1), st.just(0))
# Damage is aimed at the structure as well, which is a small part of the bytes.
marker = st.tuples(st.just("marker"), st.floats(0, 1), st.integers(0, 255))
damage = st.one_of(set_byte, cut_out, twice, end, marker)


def damaged(data: bytes, damages: list[tuple[str, float, int]]) -> bytes:
    for what, where, value in damages:
        at = 3 + round(where * (len(data) - 4)) if len(data) > 4 else 0
        match what:
            case "set":
                data = data[:at] + bytes((value,)) + data[at + 1 :]
            case "cut":
                data = data[:at] + data[at + value :]
            case "twice":
                data = data[:at] + data[at : at + value] + data[at:]
            case "marker":
                data = data[:at] + bytes((0xFF, value)) + data[at + 2 :]
            case _:
                data = data[:at]
    return data


def seen(data: bytes) -> tuple[Any, int] | None:
    """What a decoder makes of it: how it looks, and how it is turned. None if it makes nothing of it."""
    try:
        image = OPENERS[data[:2]](io.BytesIO(data))
        if image.width * image.height > 1_000_000:
            return None
        image.load()
        looks = image.size, image.tobytes(), image.info.get("icc_profile")
        return looks, image.getexif().get(ORIENTATION, 1)
    except UNREADABLE:
        return None


@settings(max_examples=400)
@given(st.integers(0, len(PHOTOS) - 1), st.lists(damage, min_size=1, max_size=4))
def test_a_damaged_photo_is_refused_or_looks_the_same(
    number: int, damages: list[tuple[str, float, int]]
) -> None:
    data = damaged(PHOTOS[number], damages)
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


@settings(max_examples=200)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBP"]), st.binary(max_size=400)
)
def test_nonsense_is_refused_and_nothing_else_goes_wrong(head: bytes, rest: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        path.write_bytes(head + rest)
        try:
            strip_metadata(path)
        except BrokenStructure:
            assert path.read_bytes() == head + rest
