"""One picture of both halves, made by a decoder process."""

import io
from pathlib import Path

from PIL import Image

from bot.media.metadata import MADE_BY_AI
from tests.support.decoders import SharedDecoders

LABELS = ("Before", "After")


async def test_the_left_half_is_before_and_the_right_half_after(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    Image.new("RGB", (300, 900), "blue").save(before, "JPEG")
    Image.new("RGBA", (800, 600), "orange").save(after, "PNG")
    data = await SharedDecoders().split(before, after, 1_000_000, LABELS)
    assert data is not None
    with Image.open(io.BytesIO(data)) as made:
        assert made.size == (800, 600)
        red, _, blue = made.getpixel((100, 300))  # type: ignore[misc]
        assert blue > red
        red, _, blue = made.getpixel((700, 300))  # type: ignore[misc]
        assert red > blue
    assert MADE_BY_AI.encode() in data


async def test_it_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    noise = tmp_path / "noise"
    Image.effect_noise((1500, 1500), 90).save(noise, "PNG")
    data = await SharedDecoders().split(noise, noise, 60_000, LABELS)
    assert data is not None
    assert len(data) <= 60_000


async def test_what_can_not_be_opened_makes_no_picture(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    broken.write_bytes(b"no picture")
    Image.new("RGB", (30, 30)).save(whole, "PNG")
    assert await SharedDecoders().split(broken, whole, 60_000, LABELS) is None
    assert await SharedDecoders().split(whole, broken, 60_000, LABELS) is None
