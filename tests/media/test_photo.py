"""A photo is looked at before anything is spent on it."""

import io
import struct
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.media import Photo, PhotoKind, PhotoRefused, pool
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words

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


async def test_a_kind_that_takes_much_memory_has_a_lower_limit(
    decoder: DecoderPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LARGEST_BYTES", 12_500_000)
    sizes = {"PNG": (1100, 1000), "WEBP": (1100, 1000)}
    for image_format, size in sizes.items():
        Image.new("RGB", size).save(tmp_path / image_format, image_format)
    assert (await decoder.inspect(tmp_path / "PNG")).width == 1100
    with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
        await decoder.inspect(tmp_path / "WEBP")
