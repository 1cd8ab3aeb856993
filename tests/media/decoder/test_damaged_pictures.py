"""Truncated, bit-flipped and concatenated files of each kind: no crash, no hang, no memory without bound.

`HOSTILE_EXAMPLES=100000` tries that many of each kind; make hostile tries 3,000.
"""

import asyncio
import io
import operator
import os
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from bot.media import sniff
from bot.media.photo import PhotoRefused, PictureBroken
from bot.media.pool import DecoderPool
from tests.media.damage import DAMAGES, damaged
from tests.support.cheap.heic import save_heic

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "8"))
SIZE = (40, 24)


def saved(image_format: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image = Image.effect_noise(SIZE, 70).convert(mode)
    if image_format == "HEIF":
        save_heic(buffer, image.resize((160, 96)), quality=50, **options)
    else:
        image.save(buffer, image_format, **options)
    return buffer.getvalue()


SEEDS = {
    "JPEG": (saved("JPEG"), saved("JPEG", progressive=True), saved("JPEG", "CMYK")),
    "PNG": (saved("PNG", "RGBA"), saved("PNG", "P")),
    "WebP": (
        saved("WEBP"),
        saved("WEBP", "RGBA", lossless=True),
        saved("WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)]),
    ),
    "HEIC": (saved("HEIF"), saved("HEIF", "RGBA"), saved("HEIF", tile_size=64)),
    "AVIF": (
        saved("AVIF", speed=10),
        saved("AVIF", "RGBA", speed=10),
        saved("AVIF", speed=10, save_all=True, append_images=[Image.new("RGB", SIZE)]),
    ),
    "GIF": (saved("GIF"), saved("GIF", save_all=True, append_images=[Image.new("RGB", SIZE)])),
    "TIFF": (
        saved("TIFF"),
        saved("TIFF", "CMYK", compression="tiff_lzw"),
        saved("TIFF", "I;16", compression="tiff_adobe_deflate"),
        saved("TIFF", compression="jpeg"),
    ),
    "BMP": (saved("BMP"), saved("BMP", "P")),
}
EACH = pytest.mark.parametrize("kind", SEEDS)


def files(kind: str) -> st.SearchStrategy[bytes]:
    """Damaged files that begin as one of a kind, some with a file of any kind behind it.

    Heads are a small part of the bytes, and say what is allocated: every second damage is aimed at them.
    """
    one, any_one = (
        st.sampled_from(SEEDS[kind]),
        st.sampled_from([each for all_of in SEEDS.values() for each in all_of]),
    )
    return st.builds(
        damaged, one | st.builds(operator.add, one, any_one), DAMAGES, st.sampled_from([300, None])
    )


Do = Callable[[bytes, str], Any]


@pytest.fixture(scope="module")
def opened() -> Generator[Do]:
    """What one decoder makes of a file, for tests that are not asynchronous; None if it refuses it."""
    pool = DecoderPool()
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        runner.run(pool.__aenter__())

        def do(data: bytes, what: str) -> Any:
            path.write_bytes(data)
            try:
                if what == "fit":
                    return runner.run(pool.fit(path, 2_000))
                made = runner.run(getattr(pool, what)(path))
            except (PhotoRefused, PictureBroken):
                return None
            # Neither the end of a decoder nor its bounds, which would be raised.
            return sniff(path.read_bytes()[:64]) if made else "whole"

        yield do
        runner.run(pool.__aexit__(None, None, None))


@EACH
@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(choice=st.data())
def test_a_damaged_photo_is_refused_or_one_that_studii_takes(
    opened: Do, kind: str, choice: st.DataObject
) -> None:
    found = opened(choice.draw(files(kind)), "inspect")
    assert found is None or found.is_accepted


@EACH
@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(choice=st.data())
def test_a_damaged_output_is_broken_or_whole_and_fits_or_not(
    opened: Do, kind: str, choice: st.DataObject
) -> None:
    data = choice.draw(files(kind))
    assert opened(data, "check") in {None, "whole"}
    assert len(opened(data, "fit") or b"") <= 2_000


def test_a_size_beyond_all_measure_is_refused_like_any_that_is_too_large(opened: Do) -> None:
    vast, lacking = saved("JPEG"), saved("BMP")
    frame = vast.index(b"\xff\xc0")
    vast = vast[: frame + 5] + b"\xff\xdc" * 2 + vast[frame + 9 :]
    lacking = lacking[:18] + b"\xff\xff\xff\x7f" * 2 + lacking[26:]
    assert [opened(one, do) for one in (vast, lacking) for do in ("inspect", "fit")] == [None] * 4
    assert opened(vast, "check") == "whole"  # an output of any size is posted as it is


def test_a_tiff_whose_data_is_before_its_beginning_and_an_avif_without_a_clock_are_broken(opened: Do) -> None:
    offset = b"\x11\x01\x04\0\x01\0\0\0\x8c"  # which is below zero as a signed number
    tiff, avif = SEEDS["TIFF"][0], SEEDS["AVIF"][-1]
    assert offset in tiff
    assert opened(tiff.replace(offset, b"\x11\x01\x06" + offset[3:]), "inspect") is None
    assert opened(avif.replace(b"mdhd", b"mehd"), "inspect") is None


@EACH
def test_what_is_damaged_was_whole_before(opened: Do, kind: str) -> None:
    for one in SEEDS[kind]:
        assert opened(one, "inspect") is not None
        assert opened(one, "check") == "whole"
