"""Photos are looked at, and converted upright and in their colours."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_asyncio
from PIL import Image

from bot.media import PhotoKind
from bot.media.metadata import strip_metadata
from bot.media.photo import PhotoRefused
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words
from tests.media.files import (
    AI,
    ORIENTATION,
    SECRETS,
    chunk,
    exchanged_profile,
    exif,
    grey_profile,
    ink_profile,
    looks_like,
    save,
    save_deep_heic,
    scene,
    xmp,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[DecoderPool]:
    async with DecoderPool() as decoder:
        yield decoder


pytestmark = pytest.mark.asyncio(loop_scope="module")


KINDS = ("HEIF", "AVIF", "GIF", "TIFF", "BMP")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("width", "height", "megapixels"), [(8001, 8000, "64"), (30000, 30000, "900"), (65000, 65000, "4,225")]
)
async def test_too_many_pixels_are_refused_with_the_figure_and_the_limit(
    decoder: DecoderPool, tmp_path: Path, width: int, height: int, megapixels: str
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(png_header(width, height))
    with pytest.raises(PhotoRefused) as refused:
        await decoder.inspect(path)
    said = reason_words(refused.value.told)
    assert f"{width} × {height} pixels ({megapixels} megapixels). The limit is 64 megapixels" in said


@pytest.mark.promise
async def test_a_kind_that_takes_much_memory_has_a_lower_limit(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    Image.new("RGB", (5_830, 5_830), "teal").save(path, "WEBP", method=0)
    assert (await decoder.inspect(path)).width == 5_830
    Image.new("RGB", (5_850, 5_850), "teal").save(path, "WEBP", method=0)
    with pytest.raises(PhotoRefused) as refused:
        await decoder.inspect(path)
    assert reason_words(refused.value.told).endswith(
        "limit for this kind of file is 34 megapixels. Save it as a JPEG, or make it smaller."
    )


TURNED = Image.Exif()
TURNED[ORIENTATION] = 6  # a quarter turn to the right makes it upright


@pytest.mark.promise
@pytest.mark.parametrize(
    ("image_format", "options"),
    [
        *((kind, {}) for kind in KINDS),
        *(("deep HEIF", options) for options in ({}, {"chroma": 444}, {"tile_size": 64})),
        *((kind, {"exif": TURNED.tobytes()}) for kind in ("HEIF", "AVIF")),
        ("TIFF", {"exif": TURNED}),
        ("GIF", {"comment": b"x" * 70_000}),  # longer than one of a JPEG may be
        (
            "GIF",
            {
                "save_all": True,
                "append_images": [Image.new("RGB", (96, 64)), Image.new("RGB", (96, 64), "white")],
            },
        ),
    ],
)
async def test_other_kinds_of_photos_are_converted_and_look_the_same(
    decoder: DecoderPool, tmp_path: Path, image_format: str, options: dict[str, Any]
) -> None:
    path = tmp_path / "photo"
    if image_format == "deep HEIF":
        save_deep_heic(path, scene(), quality=90, **options)
    else:
        save(path, image_format, **options)
    kind = {"HEIF": PhotoKind.HEIC, "deep HEIF": PhotoKind.HEIC}.get(image_format)
    found = await decoder.inspect(path)
    assert found.kind is (kind or PhotoKind[image_format])
    assert found.content_type == "image/jpeg"
    assert looks_like(path, scene().rotate(-90, expand=True) if "exif" in options else scene())
    with Image.open(path) as kept:
        assert kept.format == "JPEG"
        assert kept.getexif().get(ORIENTATION, 1) == 1


@pytest.mark.promise
async def test_what_can_be_seen_through_stays_so_and_a_deep_scan_keeps_its_shades(
    decoder: DecoderPool, tmp_path: Path
) -> None:
    image, path = scene("RGBA"), tmp_path / "photo"
    image.putalpha(128)
    save(path, "TIFF", image)
    assert (await decoder.inspect(path)).content_type == "image/png"
    with Image.open(path) as kept:
        assert kept.getpixel((5, 5)) == (255, 0, 0, 128)
    scan = Image.new("I;16", (64, 64), 1000)
    scan.paste(60000, (0, 0, 32, 64))
    save(path, "TIFF", scan)
    await decoder.inspect(path)
    with Image.open(path) as kept:
        assert (kept.getpixel((5, 5)), kept.getpixel((60, 5))) == (255, 0)


@pytest.mark.promise
@pytest.mark.parametrize("image_format", KINDS)
async def test_half_a_photo_of_another_kind_is_refused(
    decoder: DecoderPool, tmp_path: Path, image_format: str
) -> None:
    path = tmp_path / "photo"
    save(path, image_format, Image.effect_noise((200, 200), 90).convert("RGB"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(PhotoRefused, match="photo_broken"):
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


@pytest.mark.promise
@pytest.mark.parametrize("most", [1_000, 20_000, 60_000])
async def test_a_transparent_photo_that_would_be_too_large_as_a_png_becomes_a_webp(
    tmp_path: Path, subtests: pytest.Subtests, most: int
) -> None:
    async with DecoderPool(max_photo_bytes=most) as decoder:
        for image_format in ("HEIF", "AVIF", "TIFF", "opaque TIFF"):
            with subtests.test(image_format):
                await made_smaller(decoder, tmp_path, image_format, most)


async def made_smaller(decoder: DecoderPool, tmp_path: Path, image_format: str, most: int) -> None:
    path, noise = tmp_path / "photo", Image.effect_noise((300, 200), 90)
    mark = {"tiffinfo": {700: xmp(AI)}} if "TIFF" in image_format else {"xmp": xmp(AI)}
    bands = (noise, noise, noise, Image.linear_gradient("L").resize(noise.size))
    is_opaque = image_format == "opaque TIFF"
    save(
        path,
        image_format[-4:],
        Image.merge("RGB", bands[:3]) if is_opaque else Image.merge("RGBA", bands),
        **mark,
    )
    if most == 1_000:
        with pytest.raises(PhotoRefused, match="photo_grown_too_large"):
            await decoder.inspect(path)
        return
    kind = PhotoKind.JPEG if is_opaque else PhotoKind.WEBP
    assert (await decoder.inspect(path)).content_type == kind.content_type
    assert path.stat().st_size <= most
    with Image.open(path) as got:
        assert AI in str(got.info["xmp"])
        alpha, (width, height) = got.convert("RGBA").getchannel("A"), got.size
    assert cast("int", alpha.getpixel((width // 2, 0))) < 20 or is_opaque
    assert cast("int", alpha.getpixel((width // 2, height - 1))) > 235


@pytest.mark.parametrize("source", [None, AI])
@pytest.mark.parametrize(
    "image_format", ["HEIF", "HEIF RGBA", "AVIF", "AVIF RGBA", "GIF", "TIFF", "TIFF RGBA"]
)
async def test_of_all_metadata_a_converted_photo_keeps_the_mark_of_ai(
    decoder: DecoderPool, tmp_path: Path, image_format: str, source: str | None
) -> None:
    image_format, _, mode = image_format.partition(" ")
    options: dict[str, Any] = {
        "GIF": {"comment": b"SECRET-COMMENT"},
        "TIFF": {"tiffinfo": {700: xmp(source), 0x010F: "SECRET-MAKE"}},
    }.get(image_format, {"exif": exif(), "xmp": xmp(source)})
    path = tmp_path / "photo"
    save(path, image_format, scene(mode or "RGB"), **options)
    if image_format == "GIF":
        path.write_bytes(path.read_bytes()[:-1] + b"!\xff\x0bXMP DataXMP" + xmp(source) + b"\0;")
    assert b"SECRET" in path.read_bytes()
    await decoder.inspect(path)
    kept = path.read_bytes()
    assert [secret for secret in SECRETS if secret in kept] == []
    with Image.open(path) as photo:
        assert (AI in str(photo.info.get("xmp"))) is (source is not None)
    strip_metadata(path)
    assert path.read_bytes() == kept


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
    for data in (applied, await decoder.check(path)):  # of which a thumbnail has none
        with Image.open(io.BytesIO(data)) as image:
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
    ("mode", "space", "kept", "size"),
    [
        ("CMYK", b"CMYK", False, (96, 64)),
        ("RGB", b"RGB ", True, (96, 64)),
        ("L", b"GRAY", True, (96, 64)),
        ("L", b"GRAY", True, (6000, 4000)),  # of which a copy has fewer pixels
        ("L", b"RGB ", False, (96, 64)),
        ("RGB", b"GRAY", False, (96, 64)),
    ],
)
async def test_a_colour_profile_is_kept_only_where_it_fits_the_colours(
    decoder: DecoderPool, tmp_path: Path, mode: str, space: bytes, *, kept: bool, size: tuple[int, int]
) -> None:
    profile = bytes(12) + b"prtr" + space + b"Lab " + bytes(104)
    path = tmp_path / "photo"
    save(path, "TIFF", scene(mode).resize(size), icc_profile=profile)
    await decoder.inspect(path)
    with Image.open(path) as got:
        assert got.mode == ("L" if mode == "L" else "RGB")
        assert ("icc_profile" in got.info) is kept
    fitted = await decoder.fit(path, 300_000)
    assert fitted is not None
    with Image.open(io.BytesIO(fitted)) as image:
        assert ("icc_profile" in image.info) is kept
