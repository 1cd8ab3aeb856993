"""A result that is too large is made smaller until it fits."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.media.metadata import strip_metadata
from bot.media.pool import DecoderPool
from tests.media.metadata.photos import AI, SECRETS, phone_jpeg, phone_png, phone_webp

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_result_is_made_to_fit(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    noise = Image.effect_noise((600, 400), 90)
    noise.convert("RGB").save(path, "PNG")
    limit = path.stat().st_size // 3
    fitted = await decoder.fit(path, limit)
    assert fitted is not None
    assert len(fitted) <= limit
    with Image.open(io.BytesIO(fitted)) as image:
        assert image.width / image.height == pytest.approx(1.5, abs=0.02)


async def test_what_is_no_picture_cannot_be_made_to_fit(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    path.write_bytes(b"no picture at all")
    assert await decoder.fit(path, 1000) is None


@pytest.mark.parametrize("photo", [phone_jpeg(source=AI), phone_png(source=AI), phone_webp(source=AI)])
async def test_a_copy_that_is_made_to_fit_carries_nothing_but_the_mark(
    decoder: DecoderPool, tmp_path: Path, photo: bytes
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(photo)
    strip_metadata(path)
    fitted = await decoder.fit(path, 5000)
    assert fitted is not None
    assert [secret for secret in SECRETS if secret in fitted] == []
    with Image.open(io.BytesIO(fitted)) as image:
        assert AI in str(image.info["xmp"])
        assert not image.getexif()
