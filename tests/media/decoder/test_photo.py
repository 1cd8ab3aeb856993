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

from bot.media import PhotoKind
from bot.media.photo import Photo, PhotoRefused
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words
from tests.media.jpeg_scans import scans
from tests.media.metadata.photos import ICC

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
async def test_a_kind_that_takes_much_memory_has_a_lower_limit(decoder: DecoderPool, tmp_path: Path) -> None:
    path = tmp_path / "photo"
    for side, is_taken in ((5_830, True), (5_850, False)):
        Image.new("RGB", (side, side), "teal").save(path, "WEBP", method=0)
        if is_taken:
            assert (await decoder.inspect(path)).width == side
            continue
        with pytest.raises(PhotoRefused) as refused:
            await decoder.inspect(path)
        said = reason_words(refused.value.told)
        assert said.endswith(
            "limit for this kind of file is 34 megapixels. Save it as a JPEG, or make it smaller."
        )


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


async def test_a_picture_of_64_megapixels_is_made_to_fit(decoder: DecoderPool, tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(progressive_with_inks())
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
