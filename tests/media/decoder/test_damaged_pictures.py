"""Truncated, bit-flipped and concatenated files of each kind: no crash, no hang, no memory without bound.

`HOSTILE_EXAMPLES=100000` tries that many; make hostile tries 3,000.
"""

import asyncio
import io
import os
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image

from bot.media import sniff
from bot.media.photo import Photo, PhotoRefused, PictureBroken
from bot.media.pool import DecoderPool
from tests.support.cheap.heic import save_heic

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "60"))
SIZE = (40, 24)


def saved(image_format: str, mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image = Image.effect_noise(SIZE, 70).convert(mode)
    if image_format == "HEIF":
        save_heic(buffer, image.resize((160, 96)), quality=50, **options)
    else:
        image.save(buffer, image_format, **options)
    return buffer.getvalue()


SEEDS = (
    saved("JPEG"),
    saved("JPEG", progressive=True),
    saved("JPEG", "CMYK"),
    saved("PNG", "RGBA"),
    saved("PNG", "P"),
    saved("WEBP"),
    saved("WEBP", "RGBA", lossless=True),
    saved("WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)]),
    saved("HEIF"),
    saved("HEIF", "RGBA"),
    saved("HEIF", tile_size=64),
    saved("AVIF", speed=10),
    saved("AVIF", "RGBA", speed=10),
    saved("AVIF", speed=10, save_all=True, append_images=[Image.new("RGB", SIZE)]),
    saved("GIF"),
    saved("GIF", save_all=True, append_images=[Image.new("RGB", SIZE)]),
    saved("TIFF"),
    saved("TIFF", "CMYK", compression="tiff_lzw"),
    saved("TIFF", "I;16", compression="tiff_adobe_deflate"),
    saved("TIFF", compression="jpeg"),
    saved("BMP"),
    saved("BMP", "P"),
)

place = st.floats(0, 1, exclude_max=True)
flipped = st.tuples(st.just("flip"), place, st.integers(0, 7))
replaced = st.tuples(st.just("set"), place, st.sampled_from([0, 1, 0x7F, 0x80, 0xFE, 0xFF]))
doubled = st.tuples(st.just("twice"), place, st.integers(1, 400))
removed = st.tuples(st.just("cut"), place, st.integers(1, 40))
truncated = st.tuples(st.just("end"), place, st.just(0))
joined = st.tuples(st.just("join"), place, st.integers(0, len(SEEDS) - 1))
damages = st.lists(st.one_of(flipped, replaced, doubled, removed, truncated, joined), min_size=1, max_size=5)


def damaged(data: bytes, made: list[tuple[str, float, int]], is_head: bool) -> bytes:
    for what, where, value in made:
        at = int(where * min(len(data), 300 if is_head else len(data)))
        match what:
            case "flip":
                data = data[:at] + bytes([data[at] ^ 1 << value]) + data[at + 1 :] if data else data
            case "set":
                data = data[:at] + bytes([value]) + data[at + 1 :]
            case "twice":
                data = data[:at] + data[at : at + value] + data[at:]
            case "cut":
                data = data[:at] + data[at + value :]
            case "join":
                data = data[: at or len(data)] + SEEDS[value]
            case _:
                data = data[:at]
    return data


# Heads are a small part of the bytes, and say what is allocated: every second damage is aimed at them.
files = st.builds(damaged, st.sampled_from(SEEDS), damages, st.booleans())


class Opener:
    """Opens files with one decoder, from tests that are not asynchronous."""

    def __init__(self, runner: asyncio.Runner, decoder: DecoderPool, folder: Path) -> None:
        self._run = runner.run
        self._decoder = decoder
        self._path = folder / "photo"

    def inspect(self, data: bytes) -> Photo | None:
        self._path.write_bytes(data)
        try:
            return self._run(self._decoder.inspect(self._path))
        except PhotoRefused:
            return None

    def check(self, data: bytes) -> bool:
        self._path.write_bytes(data)
        try:
            self._run(self._decoder.check(self._path))
        except PictureBroken:
            return False
        return True

    def fit(self, data: bytes, limit: int) -> bytes | None:
        self._path.write_bytes(data)
        return self._run(self._decoder.fit(self._path, limit))

    def result(self) -> bytes:
        return self._path.read_bytes()


@pytest.fixture(scope="module")
def opener() -> Generator[Opener]:
    decoder = DecoderPool()
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        runner.run(decoder.__aenter__())
        yield Opener(runner, decoder, Path(folder))
        runner.run(decoder.__aexit__(None, None, None))


@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(data=files)
def test_a_damaged_photo_is_refused_or_one_that_studii_takes(opener: Opener, data: bytes) -> None:
    photo = opener.inspect(data)  # neither the end of a decoder nor its bounds, which would be raised
    if photo is not None:
        found = sniff(opener.result()[:64])
        assert found is not None
        assert found.is_accepted


@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(data=files)
def test_a_damaged_output_is_broken_or_whole_and_fits_or_not(opener: Opener, data: bytes) -> None:
    opener.check(data)
    fitted = opener.fit(data, 2_000)
    assert fitted is None or len(fitted) <= 2_000


@settings(max_examples=EXAMPLES)
@given(number=st.sampled_from([*range(7), 8, 11, 20]), share=st.floats(0.05, 0.9))
def test_the_first_part_of_a_still_picture_is_broken(opener: Opener, number: int, share: float) -> None:
    data = SEEDS[number]
    assert not opener.check(data[: int(len(data) * share)] + bytes(16))


def test_a_size_beyond_all_measure_is_refused_like_any_that_is_too_large(opener: Opener) -> None:
    vast = saved("JPEG")
    frame = vast.index(b"\xff\xc0")
    vast = vast[: frame + 5] + b"\xff\xdc" * 2 + vast[frame + 9 :]
    assert opener.inspect(vast) is None
    assert opener.check(vast)  # an output of any size is posted as it is
    assert opener.fit(vast, 2_000) is None
    lacking = saved("BMP")
    lacking = lacking[:18] + b"\xff\xff\xff\x7f" * 2 + lacking[26:]
    assert opener.inspect(lacking) is None
    assert opener.fit(lacking, 2_000) is None


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_what_is_damaged_was_whole_before(opener: Opener, number: int) -> None:
    assert opener.inspect(SEEDS[number]) is not None
    assert opener.check(SEEDS[number])
