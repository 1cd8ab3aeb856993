"""A photo is looked at before anything is spent on it."""

import base64
import io
import lzma
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.media import PhotoKind, pool
from bot.media.photo import MAX_PIXELS, Photo, PhotoRefused
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words
from tests.media.jpeg_scans import scans
from tests.media.metadata.photos import ICC
from tests.support.cheap.heic import save_deep_heic, save_heic

# One decoder for all: each would start processes of its own.
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def decoder() -> AsyncIterator[DecoderPool]:
    async with DecoderPool() as decoder:
        yield decoder


def encoded(
    image_format: str, size: tuple[int, int] = (203, 157), mode: str = "RGB", **options: Any
) -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise(size, 80).convert(mode).save(buffer, image_format, **options)
    return buffer.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


SAMPLES: list[tuple[str, PhotoKind, dict[str, Any]]] = [
    ("JPEG", PhotoKind.JPEG, {}),
    ("JPEG", PhotoKind.JPEG, {"progressive": True}),
    ("JPEG", PhotoKind.JPEG, {"mode": "CMYK"}),
    ("JPEG", PhotoKind.JPEG, {"size": (1, 1)}),
    ("PNG", PhotoKind.PNG, {"mode": "RGBA"}),
    ("PNG", PhotoKind.PNG, {"mode": "P"}),
    ("WEBP", PhotoKind.WEBP, {"lossless": True}),
    ("WEBP", PhotoKind.WEBP, {}),
]

# All teal, 8,000 pixels wide and high. Pillow takes a second to make it; lossless ones take the most memory.
LOSSLESS = bytes.fromhex("524946461c000000574542505650384c100000002f3fdfcf070750c02860ff0311d1ff00")
# The same, transparent and not lossless; packed, as there are 169,234 bytes.
LOSSY = lzma.decompress(
    base64.b64decode(
        "AAAABAD//////////wApEvlbJl4JQGkTkqwo2Dm/MMlw7ybAdn7HaBtGf+EGtQF5KbTzkAi9qNr/jGC3FAf3KzEqi0bW/E0ku3"
        "n6/YJ5hC66kIdcq6ySGMiYQsChOPj6eSWcvSIVSa5EtyRM4Xuys8qigf8PtaI56H3HktDMozquXJK72tNHigqhNBuBFY5otIcy"
        "NGssf2CXzjEsoLvh/u2gWUja3lnaAGtPNHunyKqaCb99hhfyZNIprr6nb+qgYf9UPJ4R8VePoPa1dYS9cwKrydOAYxHdrOqbCn"
        "MIS1ncwTyNql+ZpRmNzG1UZPOGWpz7GZjYJ9g1EqeQYPxx8074zuRXC85me2aBf6tP+OnnAejLYcwLQeL8NFFHfCc+LDAR0hrg"
        "mugnSdjAKV6ZqjRyqWwLlRxPyKVynjLwaFTSuE3haR1v+0uIEGxCy2FeKOFEIN+m5XASPF9HzA/9QGaoOAbsucjVlMo3s+RErd"
        "8auCuyihufzbHKQTIQeXSgfnUcqNCYjVOqxd//5AG/AA=="
    )
)


@pytest.mark.parametrize(("image_format", "kind", "options"), SAMPLES)
async def test_a_whole_photo_is_described(
    decoder: DecoderPool, tmp_path: Path, image_format: str, kind: PhotoKind, options: dict[str, Any]
) -> None:
    path = tmp_path / "misnamed.txt"
    path.write_bytes(encoded(image_format, **options))
    width, height = options.get("size", (203, 157))
    assert await decoder.inspect(path) == Photo(kind, kind.content_type, width, height)


@pytest.mark.parametrize("missing", [4, 12, 100, 5000])
@pytest.mark.parametrize(
    ("image_format", "kind", "options"), [sample for sample in SAMPLES if "size" not in sample[2]]
)
async def test_a_photo_that_was_cut_off_is_refused(
    decoder: DecoderPool,
    tmp_path: Path,
    image_format: str,
    kind: PhotoKind,
    options: dict[str, Any],
    missing: int,
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded(image_format, **options)[:-missing])
    with pytest.raises(PhotoRefused, match="photo_broken"):
        await decoder.inspect(path)


@pytest.mark.parametrize("head", [b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8 "])
async def test_a_beginning_with_nonsense_behind_it_is_refused(
    decoder: DecoderPool, tmp_path: Path, head: bytes
) -> None:
    path = tmp_path / "photo"
    path.write_bytes(head + b"nonsense" * 20)
    with pytest.raises(PhotoRefused, match="photo_broken"):
        await decoder.inspect(path)


@pytest.mark.parametrize("content", [b"", b"just some words", b"%PDF-1.7 \xff\xd8\xff"])
async def test_a_file_that_is_no_picture_is_refused(
    decoder: DecoderPool, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoRefused, match="photo_unknown_kind"):
        await decoder.inspect(path)


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
async def test_exactly_the_most_pixels_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(encoded("PNG", size=(20, 10)))
    async with DecoderPool(max_pixels=200) as decoder:
        assert (await decoder.inspect(path)).width == 20
    async with DecoderPool(max_pixels=199) as decoder:
        with pytest.raises(PhotoRefused):
            await decoder.inspect(path)


async def test_a_missing_file_is_not_taken_for_a_broken_photo(decoder: DecoderPool, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await decoder.inspect(tmp_path / "gone")


@pytest.mark.promise
async def test_every_kind_of_transparent_and_of_moving_picture_has_room(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As many bytes for each pixel as there are if a picture has 64 million of them.
    monkeypatch.setattr(
        pool, "MAX_PICTURE_MEMORY_BYTES", 1100 * 1000 * pool.MAX_PICTURE_MEMORY_BYTES // MAX_PIXELS
    )
    photo = Image.new("RGBA", (1100, 1000), (200, 10, 10, 100))
    photo.save(tmp_path / "PNG", "PNG")
    photo.convert("RGB").save(tmp_path / "lossy", "WEBP")
    photo.save(tmp_path / "transparent", "WEBP")
    photo.save(tmp_path / "lossless", "WEBP", lossless=True)
    photo.save(tmp_path / "moving", "WEBP", save_all=True, append_images=[Image.new("RGB", (1100, 1000))])
    photo.save(tmp_path / "AVIF", "AVIF", speed=10)
    photo.save(tmp_path / "fine AVIF", "AVIF", subsampling="4:4:4", speed=10)
    photo.convert("RGB").save(tmp_path / "opaque AVIF", "AVIF", subsampling="4:4:4", speed=10)
    save_heic(tmp_path / "HEIC", photo)
    save_heic(tmp_path / "fine HEIC", photo, chroma=444)
    save_deep_heic(tmp_path / "deep HEIC", photo)
    save_deep_heic(tmp_path / "deep, fine HEIC in tiles", photo.convert("RGB"), chroma=444, tile_size=256)
    for name in ("PNG", "lossy", "transparent", "lossless", "moving", "AVIF", "fine AVIF", "opaque AVIF"):
        assert (await decoder.inspect(tmp_path / name)).width == 1100, name
    for name in ("HEIC", "fine HEIC", "deep HEIC", "deep, fine HEIC in tiles"):
        assert (await decoder.inspect(tmp_path / name)).width == 1100, name


async def test_a_kind_that_takes_much_memory_has_a_lower_limit(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MAX_PICTURE_MEMORY_BYTES", 6_500_000)
    Image.new("RGBA", (1100, 1000)).save(tmp_path / "photo", "WEBP", lossless=True)
    with pytest.raises(PhotoRefused) as refused:
        await decoder.inspect(tmp_path / "photo")
    said = reason_words(refused.value.told)
    assert said.endswith(
        "limit for this kind of file is 1 megapixels. Save it as a JPEG, or make it smaller."
    )


@pytest.mark.promise
async def test_a_webp_of_64_megapixels_is_taken(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    path.write_bytes(LOSSLESS)
    assert (await decoder.inspect(path)).width == 8000


def progressive_with_inks() -> bytes:
    """The JPEG that takes the most memory, all teal: some rows, so often one below the other."""
    buffer, times = io.BytesIO(), 125
    # Each row of blocks is coded by itself, and the mark after it has its number from 0 to 7.
    rows = Image.new("CMYK", (8000, 8 * 8), (9, 120, 120, 200))
    rows.save(buffer, "JPEG", progressive=True, restart_marker_rows=1)
    photo = buffer.getvalue()
    parts, done = list[bytes](), 0
    for start, end in scans(photo):
        parts += [photo[done:start], b"\xff\xd7".join([photo[start:end]] * times)]
        done = end
    whole = b"".join([*parts, photo[done:]])
    height = whole.index(b"\xff\xc2") + 5
    return whole[:height] + (64 * times).to_bytes(2) + whole[height + 2 :]


@pytest.mark.parametrize("made", [progressive_with_inks, lambda: LOSSY], ids=["JPEG", "WEBP"])
async def test_a_picture_of_64_megapixels_is_made_to_fit(
    decoder: DecoderPool, tmp_path: Path, made: Callable[[], bytes]
) -> None:
    (tmp_path / "photo").write_bytes(made())
    data = await decoder.fit(tmp_path / "photo", 1_000_000)
    assert data is not None
    with Image.open(io.BytesIO(data)) as fitted:
        assert fitted.width == fitted.height > 3_900


async def test_a_webp_that_is_made_to_fit_keeps_its_colours_and_its_side_up(
    decoder: DecoderPool, tmp_path: Path
) -> None:
    photo = Image.new("RGB", (64, 32), "teal")
    photo.paste("orange", (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    for lossless in (False, True):
        photo.save(tmp_path / "photo", "WEBP", exif=exif, icc_profile=ICC, lossless=lossless)
        data = await decoder.fit(tmp_path / "photo", 10_000)
        assert data is not None
        fitted = Image.open(io.BytesIO(data))
        assert fitted.size == (32, 64)
        assert fitted.info["icc_profile"] == ICC
        top, bottom = fitted.getpixel((16, 8)), fitted.getpixel((16, 56))
        assert isinstance(top, tuple)
        assert isinstance(bottom, tuple)
        assert top[0] > 230 > 30 > bottom[0]
