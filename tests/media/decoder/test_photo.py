"""A photo is looked at before anything is spent on it."""

import io
import struct
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest
from PIL import Image

from bot.media.photo import PhotoRefused
from bot.media.pool import DecoderPool
from bot.ui.kit.reasons import reason_words
from tests.media.decoder.scenes import save
from tests.media.jpeg_scans import scans
from tests.media.metadata.photos import ICC, ORIENTATION, chunk

pytestmark = pytest.mark.asyncio(loop_scope="module")


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(64))) + chunk(b"IEND", b"")


async def test_a_png_with_two_colour_profiles_is_refused(decoder: DecoderPool, tmp_path: Path) -> None:
    save(path := tmp_path / "photo", "PNG")
    whole, profile = path.read_bytes(), chunk(b"iCCP", b"x\0\0" + zlib.compress(ICC))
    await decoder.inspect(path)
    for number, why in ((1, None), (2, "photo_built_oddly")):
        path.write_bytes(whole[:33] + profile * number + whole[33:])
        with nullcontext() if why is None else pytest.raises(PhotoRefused, match=why):
            await decoder.inspect(path)


NONSENSE = b"nonsense" * 20


@pytest.mark.parametrize(
    ("content", "why"),
    [
        *(
            (head + NONSENSE, "broken")
            for head in (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8 ")
        ),
        *((content, "unknown_kind") for content in (b"", b"just some words", b"%PDF-1.7 \xff\xd8\xff")),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n", "unknown_kind"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused(
    decoder: DecoderPool, tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(PhotoRefused, match=f"photo_{why}"):
        await decoder.inspect(path)
    assert await decoder.fit(path, 100_000) is None
    with pytest.raises(FileNotFoundError):
        await decoder.inspect(tmp_path / "gone")


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
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "TIFF", "BMP"])
async def test_exactly_the_most_pixels_are_taken(tmp_path: Path, image_format: str) -> None:
    path = tmp_path / "photo"
    save(path, image_format)
    async with DecoderPool(max_pixels=96 * 64 - 1) as decoder:
        with pytest.raises(PhotoRefused, match="photo_too_many_pixels"):
            await decoder.inspect(path)
    async with DecoderPool(max_pixels=96 * 64) as decoder:
        assert (await decoder.inspect(path)).width == 96


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


@pytest.mark.parametrize("lossless", [False, True])
async def test_a_webp_that_is_made_to_fit_keeps_its_colours_and_its_side_up(
    decoder: DecoderPool, tmp_path: Path, *, lossless: bool
) -> None:
    photo, exif = Image.new("RGB", (64, 32), "teal"), Image.Exif()
    photo.paste("orange", (0, 0, 32, 32))
    exif[ORIENTATION] = 6  # to be turned to the right
    photo.save(tmp_path / "photo", "WEBP", exif=exif, icc_profile=ICC, lossless=lossless)
    data = await decoder.fit(tmp_path / "photo", 10_000)
    assert data is not None
    fitted = Image.open(io.BytesIO(data))
    assert (fitted.size, fitted.info["icc_profile"]) == ((32, 64), ICC)
    reds = fitted.getchannel("R").resize((1, 2), Image.Resampling.BOX).tobytes()
    assert reds[0] > 230 > 30 > reds[1]
