"""Photos of kinds that Studii does not take become ones that it takes, and look the same."""

from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.media import PhotoKind, sniff
from bot.media.metadata import strip_metadata
from bot.media.photo import PhotoRefused
from bot.media.pool import DecoderPool
from tests.media.decoder.scenes import looks_like, save, scene
from tests.media.metadata.photos import AI, SECRETS, exif, xmp
from tests.support.cheap.heic import save_deep_heic

ORIENTATION = 0x0112
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.promise
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "GIF", "TIFF", "BMP"])
async def test_other_kinds_of_photos_are_converted_and_look_the_same(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / "photo"
    save(path, image_format)
    found = await decoder.inspect(path)
    assert found.content_type == "image/jpeg"
    assert sniff(path.read_bytes()[:64]) is PhotoKind.JPEG
    assert looks_like(path, scene())


@pytest.mark.parametrize("options", [{}, {"chroma": 444}, {"tile_size": 64}])
async def test_heic_of_ten_bits_is_converted_and_looks_the_same(
    decoder: DecoderPool, tmp_path: Path, options: dict[str, Any]
) -> None:
    path = tmp_path / "photo"
    save_deep_heic(path, scene(), quality=90, **options)
    assert (await decoder.inspect(path)).kind is PhotoKind.HEIC
    assert looks_like(path, scene())


@pytest.mark.parametrize("image_format", ["AVIF", "TIFF", "HEIF"])
async def test_a_converted_photo_stands_upright_as_its_exif_data_says(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # a quarter turn to the right makes it upright
    path = tmp_path / "photo"
    if image_format == "TIFF":
        save(path, image_format, exif=exif)
    else:
        save(path, image_format, exif=exif.tobytes())
    await decoder.inspect(path)
    assert looks_like(path, scene().rotate(-90, expand=True))
    with Image.open(path) as kept:
        assert kept.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP"])
async def test_jpeg_png_and_webp_go_unchanged(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / "photo"
    save(path, image_format)
    before = path.read_bytes()
    await decoder.inspect(path)
    assert path.read_bytes() == before


@pytest.mark.promise
async def test_of_a_moving_gif_the_first_frame_is_taken(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    others = [Image.new("RGB", (96, 64), "black"), Image.new("RGB", (96, 64), "white")]
    save(path, "GIF", save_all=True, append_images=others)
    await decoder.inspect(path)
    assert looks_like(path, scene())


async def test_what_can_be_seen_through_stays_so(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    image = scene("RGBA")
    image.putalpha(128)
    save(path, "TIFF", image)
    found = await decoder.inspect(path)
    assert found.content_type == "image/png"
    with Image.open(path) as kept:
        assert kept.getpixel((5, 5)) == (255, 0, 0, 128)


@pytest.mark.promise
async def test_a_scan_of_sixteen_bits_keeps_its_shades(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    image = Image.new("I;16", (64, 64), 1000)
    image.paste(60000, (0, 0, 32, 64))
    save(path, "TIFF", image)
    await decoder.inspect(path)
    with Image.open(path) as kept:
        assert kept.getpixel((5, 5)) == 255
        assert kept.getpixel((60, 5)) == 0


@pytest.mark.promise
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "GIF", "TIFF", "BMP"])
async def test_half_a_photo_of_another_kind_is_refused(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / "photo"
    save(path, image_format, Image.effect_noise((200, 200), 90).convert("RGB"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PhotoRefused, match="photo_broken"):
        await decoder.inspect(path)


async def test_an_avif_photo_with_nonsense_in_it_is_refused(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    save(path, "AVIF")
    head, box, data = path.read_bytes().partition(b"mdat")
    path.write_bytes(head + box + bytes(8) + data[8:])
    with pytest.raises(PhotoRefused, match="photo_broken"):
        await decoder.inspect(path)


@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "GIF", "TIFF", "BMP"])
async def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path: Path, image_format: str) -> None:
    path = tmp_path / "photo"
    save(path, image_format)
    async with DecoderPool(max_pixels=96 * 64 - 1) as decoder:
        with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
            await decoder.inspect(path)


@pytest.mark.parametrize("image_format", ["GIF", "TIFF", "BMP"])
async def test_a_photo_that_is_wider_than_a_jpeg_can_be_becomes_a_png(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / "photo"
    save(path, image_format, Image.new("RGB", (65_535 if image_format == "GIF" else 66_000, 3), "red"))
    assert (await decoder.inspect(path)).content_type == "image/png"
    with Image.open(path) as got:
        assert got.convert("RGB").getpixel((60_000, 1)) == (255, 0, 0)


async def test_a_comment_that_is_too_long_for_a_jpeg_is_left_out(
    decoder: DecoderPool, tmp_path: Path
) -> None:
    path = tmp_path / "photo"
    save(path, "GIF", comment=b"x" * 70_000)
    assert (await decoder.inspect(path)).content_type == "image/jpeg"
    assert looks_like(path, scene())


async def test_a_full_disk_is_not_the_photos_fault(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    save(path, "BMP")
    async with DecoderPool() as decoder:
        path.with_name("photo.converted").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space"):
            await decoder.inspect(path)


@pytest.mark.promise
@pytest.mark.parametrize("most", [1_000, 20_000, 60_000])
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "TIFF"])
async def test_a_transparent_photo_that_would_be_too_large_as_a_png_becomes_a_webp(
    tmp_path: Path, image_format: str, most: int
) -> None:
    path = tmp_path / "photo"
    noise = Image.effect_noise((300, 200), 90)
    mark = {"tiffinfo": {700: xmp(AI)}} if image_format == "TIFF" else {"xmp": xmp(AI)}
    shades = Image.linear_gradient("L").resize(noise.size)
    save(path, image_format, Image.merge("RGBA", (noise, noise, noise, shades)), **mark)
    async with DecoderPool(max_photo_bytes=most) as decoder:
        if most == 1_000:
            with pytest.raises(PhotoRefused, match="photo_grown_too_large"):
                await decoder.inspect(path)
            return
        assert (await decoder.inspect(path)).content_type == PhotoKind.WEBP.content_type
    assert path.stat().st_size <= most
    with Image.open(path) as got:
        assert got.format == "WEBP"
        assert AI in str(got.info["xmp"])
        alpha = got.convert("RGBA").getchannel("A")
    width, height = got.size
    assert cast("int", alpha.getpixel((width // 2, 0))) < 20
    assert cast("int", alpha.getpixel((width // 2, height - 1))) > 235


async def test_a_photo_that_has_grown_by_its_conversion_is_made_smaller(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    save(path, "TIFF", Image.effect_noise((300, 200), 90).convert("RGB"))
    async with DecoderPool(max_photo_bytes=20_000) as decoder:
        assert (await decoder.inspect(path)).content_type == "image/jpeg"
    assert path.stat().st_size <= 20_000


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "GIF", "TIFF"])
async def test_of_all_metadata_a_converted_photo_keeps_the_mark_of_ai(
    decoder: DecoderPool, tmp_path: Path, image_format: str, *, transparent: bool
) -> None:
    image = scene("RGBA" if transparent and image_format != "GIF" else "RGB")
    options: dict[str, Any] = {"comment": b"SECRET-COMMENT"}
    if image_format in {"HEIF", "AVIF"}:
        options = {"exif": exif(), "xmp": xmp(AI)}
    elif image_format == "TIFF":
        options = {"tiffinfo": {700: xmp(AI), 0x010F: "SECRET-MAKE"}}
    path = tmp_path / "photo"
    save(path, image_format, image, **options)
    if image_format == "GIF":
        path.write_bytes(path.read_bytes()[:-1] + b"!\xff\x0bXMP DataXMP" + xmp(AI) + b"\0;")
    assert b"SECRET" in path.read_bytes()
    await decoder.inspect(path)
    kept = path.read_bytes()
    assert [secret for secret in SECRETS if secret in kept] == []
    with Image.open(path) as photo:
        assert AI in str(photo.info["xmp"])
    before = kept
    strip_metadata(path)
    assert path.read_bytes() == before


async def test_a_photo_without_a_mark_gets_none(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    save(path, "TIFF", tiffinfo={700: xmp(), 0x010F: "SECRET-MAKE"})
    await decoder.inspect(path)
    with Image.open(path) as photo:
        assert "xmp" not in photo.info
