"""Photos of kinds that Studii does not take become ones that it takes, and look the same."""

from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.media import PhotoKind
from bot.media.metadata import strip_metadata
from bot.media.photo import Photo, PhotoRefused
from bot.media.pool import DecoderPool
from tests.media.decoder.scenes import looks_like, save, scene
from tests.media.metadata.photos import AI, ORIENTATION, SECRETS, exif, xmp
from tests.support.cheap.heic import save_deep_heic

pytestmark = pytest.mark.asyncio(loop_scope="module")
TURNED = Image.Exif()
TURNED[ORIENTATION] = 6  # a quarter turn to the right makes it upright
KINDS = ("HEIF", "AVIF", "GIF", "TIFF", "BMP")


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


@pytest.mark.parametrize(
    ("image_format", "mode", "options"),
    [
        *(
            ("JPEG", mode, options)
            for mode, options in (("RGB", {}), ("CMYK", {}), ("RGB", {"progressive": True}))
        ),
        *(("PNG", mode, {}) for mode in ("RGBA", "P")),
        *(("WEBP", "RGB", options) for options in ({}, {"lossless": True})),
    ],
)
async def test_jpeg_png_and_webp_go_unchanged_whatever_their_name(
    decoder: DecoderPool, tmp_path: Path, image_format: str, mode: str, options: dict[str, Any]
) -> None:
    path = tmp_path / "misnamed.txt"
    save(path, image_format, scene(mode), **options)
    before, kind = path.read_bytes(), PhotoKind[image_format]
    assert await decoder.inspect(path) == Photo(kind, kind.content_type, 96, 64)
    assert path.read_bytes() == before


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


async def test_a_full_disk_is_not_the_photos_fault(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    save(path, "BMP")
    async with DecoderPool() as decoder:
        path.with_name("photo.converted").symlink_to("/dev/full")
        with pytest.raises(OSError, match="No space"):
            await decoder.inspect(path)


@pytest.mark.promise
@pytest.mark.parametrize("most", [1_000, 20_000, 60_000])
@pytest.mark.parametrize("image_format", ["HEIF", "AVIF", "TIFF", "opaque TIFF"])
async def test_a_transparent_photo_that_would_be_too_large_as_a_png_becomes_a_webp(
    tmp_path: Path, image_format: str, most: int
) -> None:
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
    async with DecoderPool(max_photo_bytes=most) as decoder:
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
