"""Photos of kinds that Studii does not take become ones that it takes, and look the same."""

import asyncio
import errno
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from PIL import Image, ImageChops, ImageCms, ImageDraw

from bot.media import PhotoKind, PhotoRefused, sniff
from bot.media.decoder import operations
from bot.media.metadata import strip_metadata
from bot.media.pool import DecoderPool
from tests.media.metadata.photos import AI, SECRETS, exif, phone_jpeg, phone_png, phone_webp, xmp
from tests.media.profiles import exchanged_profile, grey_profile, ink_profile
from tests.support.cheap.heic import save_heic

ORIENTATION = 0x0112


# One decoder for all: each would start processes of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[DecoderPool]:
    async with DecoderPool() as decoder:
        yield decoder


def scene(mode: str = "RGB") -> Image.Image:
    """Wider than high, with a red corner at the top left."""
    image = Image.new("RGB", (96, 64), "#88aacc")
    ImageDraw.Draw(image).rectangle((0, 0, 31, 31), fill="red")
    return image.convert(mode)


def save(path: Path, image_format: str, image: Image.Image | None = None, **options: Any) -> None:
    image = image or scene()
    if image_format == "HEIF":
        save_heic(path, image, quality=90, **options)
    else:
        image.save(path, image_format, **options)


def looks_like(path: Path, wanted: Image.Image) -> bool:
    with Image.open(path) as got:
        difference = ImageChops.difference(got.convert("RGB"), wanted.convert("RGB"))
    return got.size == wanted.size and max(difference.resize((6, 4)).tobytes()) < 25


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


async def test_a_scan_of_sixteen_bits_keeps_its_shades(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    image = Image.new("I;16", (64, 64), 1000)
    image.paste(60000, (0, 0, 32, 64))
    save(path, "TIFF", image)
    await decoder.inspect(path)
    with Image.open(path) as kept:
        assert kept.getpixel((5, 5)) == 255
        assert kept.getpixel((60, 5)) == 0


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


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
async def test_a_result_that_is_made_to_fit_keeps_its_colour_profile(
    decoder: DecoderPool, tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "result.png"
    cms: Any = ImageCms
    profile: bytes = cms.ImageCmsProfile(cms.createProfile("sRGB")).tobytes()
    Image.effect_noise((600, 400), 90).convert(mode).save(path, "PNG", icc_profile=profile)
    fitted = await decoder.fit(path, 60_000)
    assert fitted is not None
    with Image.open(io.BytesIO(fitted)) as image:
        assert image.info["icc_profile"] == profile
    # One that leaves no room for the picture is left out.
    small = await decoder.fit(path, 2_000)
    assert small is None or len(small) <= 2_000


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
    with Image.open(io.BytesIO(applied)) as image:
        assert "icc_profile" not in image.info
        red, _, blue = cast("tuple[int, int, int]", image.convert("RGB").getpixel((30, 20)))
        assert blue > 200 > 60 > red if mode != "L" else red == blue > 110


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


async def test_what_is_no_picture_cannot_be_made_to_fit(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "result.png"
    path.write_bytes(b"no picture at all")
    assert await decoder.fit(path, 1000) is None


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


async def test_what_cannot_be_written_as_a_photo_is_refused_and_a_full_disk_is_not_the_photos_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_writing(error: Exception) -> None:
        def fail(*_: object) -> str:
            raise error

        monkeypatch.setattr(operations, "write", fail)

    path = tmp_path / "photo"
    save(path, "BMP")
    no_writing(OSError("broken data stream when writing image file"))
    with pytest.raises(operations.Refusal, match="broken"):
        operations.inspect(path, tmp_path / "new", 10_000, 10_000, 0)
    no_writing(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(OSError, match="No space"):
        operations.inspect(path, tmp_path / "new", 10_000, 10_000, 0)


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
