"""Colours stay what their profile says, in a converted photo and in a result that is made to fit."""

import asyncio
import io
from pathlib import Path
from typing import cast

import pytest
from PIL import Image

from bot.media.pool import DecoderPool
from tests.media.decoder.scenes import save, scene
from tests.media.profiles import exchanged_profile, grey_profile, ink_profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.promise
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
async def test_a_colour_profile_that_leaves_no_room_is_applied_instead(
    decoder: DecoderPool, tmp_path: Path, mode: str
) -> None:
    """One in which red and blue are exchanged, or, of a grey picture, in which dark is bright."""
    path = tmp_path / "result.png"
    profile = grey_profile() if mode == "L" else exchanged_profile()
    Image.new(mode, (60, 40), 64 if mode == "L" else "red").save(path, "PNG", icc_profile=profile)
    kept, applied = await decoder.fit(path, 100_000), await decoder.fit(path, 4 * len(profile) - 4)
    assert kept is not None
    assert applied is not None
    assert len(applied) < len(kept)
    with Image.open(io.BytesIO(kept)) as image:
        assert image.info["icc_profile"] == profile
    assert len(await decoder.fit(path, 2_000) or b"") <= 2_000
    with Image.open(io.BytesIO(applied)) as image:
        assert "icc_profile" not in image.info
        red, _, blue = cast("tuple[int, int, int]", image.convert("RGB").getpixel((30, 20)))
        assert blue > 200 > 60 > red if mode != "L" else red == blue > 110


@pytest.mark.promise
@pytest.mark.parametrize("image_format", ["TIFF", "JPEG"])
async def test_inks_get_the_colours_that_their_profile_says(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    """With a profile by which each ink is red, and every other paper dark blue."""
    path = tmp_path / "photo"
    profile = ink_profile(ink=(136, 208, 195), paper=(82, 207, 20))
    image = Image.new("CMYK", (90, 150), (255, 0, 0, 0))  # more than one band
    image.paste((0, 0, 0, 0), (0, 75, 90, 150))
    image.save(path, image_format, icc_profile=profile)
    before = await asyncio.to_thread(path.read_bytes)
    for is_fitted in (True, False):
        data = await decoder.fit(path, 100_000) if is_fitted else None
        if data is None:
            await decoder.inspect(path)
            data = await asyncio.to_thread(path.read_bytes)
            if image_format == "JPEG":  # goes to Studii as it is
                assert data == before
                continue
        with Image.open(io.BytesIO(data)) as got:
            assert "icc_profile" not in got.info
            assert got.size == image.size
            red, _, blue = cast("tuple[int, int, int]", got.convert("RGB").getpixel((45, 30)))
            assert red > 100 > 60 > blue
            red, _, blue = cast("tuple[int, int, int]", got.convert("RGB").getpixel((45, 120)))
            assert blue > 200 > 60 > red


@pytest.mark.parametrize(
    ("mode", "space", "kept"),
    [
        ("CMYK", b"CMYK", False),
        ("RGB", b"RGB ", True),
        ("L", b"GRAY", True),
        ("L", b"RGB ", False),
        ("RGB", b"GRAY", False),
    ],
)
async def test_a_colour_profile_is_kept_only_where_it_fits_the_colours(
    decoder: DecoderPool, tmp_path: Path, mode: str, space: bytes, *, kept: bool
) -> None:
    profile = bytes(12) + b"prtr" + space + b"Lab " + bytes(104)
    path = tmp_path / "photo"
    save(path, "TIFF", scene(mode), icc_profile=profile)
    await decoder.inspect(path)
    with Image.open(path) as got:
        assert got.mode == ("L" if mode == "L" else "RGB")
        assert ("icc_profile" in got.info) is kept
    fitted = await decoder.fit(path, 30_000)
    assert fitted is not None
    with Image.open(io.BytesIO(fitted)) as image:
        assert ("icc_profile" in image.info) is kept
