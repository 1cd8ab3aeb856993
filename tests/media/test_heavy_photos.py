"""Transparent photos that would be too large as PNGs become WebPs."""

from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.media import PhotoKind
from bot.media.convert import write
from bot.media.decoder import operations
from bot.media.pool import DecoderPool
from tests.media.metadata.photos import AI, xmp
from tests.support.cheap.heic import save_heic


def noisy(share: float) -> Image.Image:
    """More and more opaque from the top to the bottom, with noise in the upper `share` of it."""
    noise = Image.new("L", (300, 200))
    noise.paste(Image.effect_noise((300, int(200 * share)), 90))
    return Image.merge("RGBA", (noise, noise, noise, Image.linear_gradient("L").resize(noise.size)))


def save(path: Path, image_format: str, image: Image.Image, **options: Any) -> None:
    if image_format == "HEIF":
        save_heic(path, image, quality=90, **options)
    else:
        image.save(path, image_format, **options)


@pytest.mark.promise
@pytest.mark.parametrize("most", [1_000, 20_000, 60_000])
async def test_a_transparent_photo_that_would_be_too_large_as_a_png_becomes_a_webp(
    tmp_path: Path, subtests: pytest.Subtests, most: int
) -> None:
    path = tmp_path / "photo"
    async with DecoderPool(max_photo_bytes=most) as small:
        for image_format in ("HEIF", "AVIF", "TIFF"):
            with subtests.test(image_format):
                mark = {"tiffinfo": {700: xmp(AI)}} if image_format == "TIFF" else {"xmp": xmp(AI)}
                save(path, image_format, noisy(1.0), **mark)
                photo = await small.inspect(path)
                assert photo.content_type == PhotoKind.WEBP.content_type
                assert path.stat().st_size <= max(most, 2_500)
                with Image.open(path) as got:
                    assert got.format == "WEBP"
                    assert AI in str(got.info["xmp"])
                    alpha = got.convert("RGBA").getchannel("A")
                width, height = got.size
                assert cast("int", alpha.getpixel((width // 2, 0))) < 20
                assert cast("int", alpha.getpixel((width // 2, height - 1))) > 235


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "TIFF"])
async def test_such_a_photo_is_decoded_once_where_its_memory_is_enough_for_the_webp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_format: str
) -> None:
    path, new = tmp_path / "photo", tmp_path / "new"
    save(path, image_format, noisy(1.0))
    pixels = 300 * 200
    room = int(operations.probe(path, "inspect")["memory"])
    assert operations.inspect(path, new, pixels, 20_000, room) == {"heavy": True}
    # A larger photo has fewer pixels as a WebP, and so a tenth of them here.
    monkeypatch.setattr(operations, "MAX_LIGHT_PIXELS", pixels // 10)
    found = operations.inspect(path, new, pixels, 20_000, room)
    assert (found["width"], found["height"], found["type"]) == (300, 200, "image/webp")
    with Image.open(new) as got:
        assert (got.format, got.mode) == ("WEBP", "RGBA")
        assert got.width * got.height <= pixels // 10


async def test_what_is_far_too_large_as_a_png_is_not_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    assert write(noisy(1.0), path, None, 20_000) is None
    assert not path.exists()
    # Half of it is plain. What a part tells is no reason to give up a PNG that is small enough.
    half = noisy(0.5)
    assert write(half, path, None, 1_000_000) == "image/png"
    size = path.stat().st_size
    assert write(half, path, None, size) == "image/png"
    assert write(half, path, None, size - 1) is None
