"""Files that are no picture, damaged, or of which a part never arrived: refused, without a crash or a hang.

`HOSTILE_EXAMPLES=100000` tries that many of each kind; make hostile tries 3,000.
"""

import asyncio
import operator
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Generator
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st
from PIL import Image, ImageDraw

from bot.media import PhotoKind, sniff
from bot.media.photo import PhotoRefused, PictureBroken
from bot.media.pool import MAX_THUMBNAIL_BYTES, DecoderPool
from tests.media.files import DAMAGES, damaged, saved


@pytest.mark.parametrize(
    ("brands", "kind"),
    [
        (b"heic\0\0\0\0mif1heic", PhotoKind.HEIC),
        (b"mif1\0\0\0\0mif1heix", PhotoKind.HEIC),
        (b"mif1\0\0\0\0mif1avif", PhotoKind.AVIF),
        (b"isom\0\0\0\0isomiso2mp41", None),
    ],
)
def test_phone_photos_and_videos_in_the_same_container_are_told_apart(
    brands: bytes, kind: PhotoKind | None
) -> None:
    assert sniff((len(brands) + 8).to_bytes(4) + b"ftyp" + brands + b"avifheic") is kind


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"B",
        b"BM",
        b"BMW drivers of the world",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"%PDF-1.7",
        b"<svg xmlns=",
        b"\0\0\0\x08ftyp",
        b"PK\x03\x04",
    ],
)
def test_other_files_are_no_pictures(head: bytes) -> None:
    assert sniff(head) is None


SIZE = (900, 700)
SMALL = (450, 350)  # where encoders take long, and nothing is looked for in what they make but its end


@cache
def noise(size: tuple[int, int]) -> Image.Image:
    return Image.effect_noise(size, 80).convert("RGB")


@cache
def room(size: tuple[int, int] = SIZE, *, ground: tuple[int, int, int] | None = None) -> Image.Image:
    """Something to see; `ground` is the colour of the lower two thirds."""
    image = noise(size).copy()
    if ground is not None:
        ImageDraw.Draw(image).rectangle((0, size[1] // 3, *size), fill=ground)
    return image


def half_in_zeros(data: bytes) -> bytes:
    """As a download leaves it whose room was made before."""
    return data[: len(data) // 2] + bytes(len(data) - len(data) // 2)


def half_with_an_end(data: bytes) -> bytes:
    return data[: len(data) // 2] + b"\xff\xd9"


def png(
    shape: tuple[int, int], rows: float = 1.0, *, depth: int = 8, colours: int = 2, passes: bool = False
) -> bytes:
    """A PNG that is whole by its chunks and checksums, with that part of its rows."""
    (width, height), samples = shape, {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colours]
    raw: list[bytes] = []
    for left, top, across, down in ADAM7 if passes else ((0, 0, 1, 1),):
        columns = len(range(left, width, across))
        size = (columns * samples * depth + 7) // 8
        # Of noise, or it would be told by how small it is; but for a palette, which has one colour.
        row = b"\0" + (bytes(size) if colours == 3 else Random(0).randbytes(size)) if columns else b""
        raw += [row] * len(range(top, height, down))
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, passes)
    picture = zlib.compress(b"".join(raw[: int(len(raw) * rows)]))
    palette = [(b"PLTE", bytes(3))] if colours == 3 else []
    chunks = [(b"IHDR", header), *palette, (b"IDAT", picture[:20]), (b"IDAT", picture[20:]), (b"IEND", b"")]
    written = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


# https://www.w3.org/TR/png-3/#8Interlace: the first column and row of each pass, and the steps.
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
LOSSLESS = {"lossless": True, "method": 0, "quality": 0}  # as quickly as can be
GREY, BLACK, WHITE = (128, 128, 128), (0, 0, 0), (255, 255, 255)
PARTS = {
    "JPEG, zeros": lambda: half_in_zeros(saved(room(), "JPEG")),
    "JPEG, no end": lambda: saved(room(), "JPEG")[:-2],
    "JPEG, an end too early": lambda: half_with_an_end(saved(room(), "JPEG")),
    "JPEG, grey, an end too early": lambda: half_with_an_end(saved(room().convert("L"), "JPEG")),
    "JPEG, without subsampling, an end too early": lambda: half_with_an_end(
        saved(room(), "JPEG", subsampling=0, optimize=True)
    ),
    "JPEG, restart marks, an end too early": lambda: half_with_an_end(
        saved(room(), "JPEG", restart_marker_blocks=7)
    ),
    "JPEG, grey, restart marks, an end too early": lambda: half_with_an_end(
        saved(room().convert("L"), "JPEG", restart_marker_rows=1)
    ),
    "JPEG, progressive, an end too early": lambda: half_with_an_end(saved(room(), "JPEG", progressive=True)),
    "JPEG, grey, progressive, an end too early": lambda: half_with_an_end(
        saved(room().convert("L"), "JPEG", progressive=True)
    ),
    "WebP, no end": lambda: saved(room(SMALL), "WEBP")[:-100],
    "WebP, lossless, no end": lambda: saved(room(SMALL), "WEBP", **LOSSLESS)[:-100],
    "HEIC, no end": lambda: saved(room(SMALL), "HEIF")[:-100],
    "AVIF, no end": lambda: saved(room(SMALL), "AVIF", speed=10)[:-100],
    "GIF, zeros": lambda: half_in_zeros(saved(room(SMALL), "GIF")),
    "PNG, half of the rows": lambda: png(SIZE, 0.5),
    "PNG, all rows but one": lambda: png(SIZE, 0.999),
    "PNG, interlaced, half of the last pass": lambda: png(SIZE, 0.87, passes=True),
    "PNG, a palette with a wrong checksum": lambda: png(SMALL, colours=3).replace(
        b"PLTE\0\0\0", b"PLTE\0\0!"
    ),
    "PNG, zeros": lambda: half_in_zeros(saved(room(SMALL), "PNG")),
    "TIFF, deflated, zeros": lambda: half_in_zeros(
        saved(room(SMALL), "TIFF", compression="tiff_adobe_deflate")
    ),
}
WHOLE = {
    f"{image_format}, {options}, {ground}": (image_format, options, ground)
    for ground in (None, GREY, BLACK, WHITE)
    for image_format, options in (
        ("JPEG", {}),
        ("JPEG", {"optimize": True}),
        ("JPEG", {"subsampling": 0, "optimize": True}),
        ("JPEG", {"progressive": True}),
        ("JPEG", {"progressive": True, "restart_marker_rows": 1}),
        ("JPEG", {"restart_marker_rows": 1}),
        ("JPEG", {"restart_marker_blocks": 7}),
        ("JPEG", {"restart_marker_blocks": 7, "subsampling": 0}),
        ("WEBP", {}),
        ("WEBP", LOSSLESS),
        ("HEIF", {}),
        ("AVIF", {"speed": 10}),
    )
}


async def is_whole(decoder: DecoderPool, path: Path, data: bytes) -> bool:
    await asyncio.to_thread(path.write_bytes, data)
    try:
        await decoder.check(path)
    except PictureBroken:
        return False
    return True


@pytest.mark.promise
async def test_what_arrived_in_part_is_broken(tmp_path: Path, subtests: pytest.Subtests) -> None:
    async with DecoderPool() as decoder:
        for name, make in PARTS.items():
            with subtests.test(name):
                assert not await is_whole(decoder, tmp_path / "photo", make())


@pytest.mark.promise
async def test_what_is_whole_is_taken_however_even_its_end(tmp_path: Path, subtests: pytest.Subtests) -> None:
    async with DecoderPool() as decoder:
        for name, (image_format, options, ground) in WHOLE.items():
            with subtests.test(name):
                size = SIZE if image_format == "JPEG" else SMALL
                data = saved(room(size, ground=ground), image_format, **options)
                assert await is_whole(decoder, tmp_path / "photo", data)


@pytest.mark.promise
async def test_a_png_has_all_its_rows_whatever_its_size_and_kind(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    kinds = [(1, 0), (16, 0), (8, 2), (16, 2), (2, 3), (8, 4), (16, 6)]
    async with DecoderPool() as decoder:
        for size in ((1, 1), (3, 2), (5, 9), (300, 201)):
            for passes in (False, True):
                for depth, colours in kinds:
                    with subtests.test(size=size, passes=passes, depth=depth, colours=colours):
                        data = png(size, depth=depth, colours=colours, passes=passes)
                        assert await is_whole(decoder, tmp_path / "photo", data)


EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "8"))
TINY = (40, 24)


def noisy(image_format: str, mode: str = "RGB", **options: Any) -> bytes:
    image = Image.effect_noise(TINY, 70).convert(mode)
    if image_format == "HEIF":
        return saved(image.resize((160, 96)), image_format, quality=50, **options)
    return saved(image, image_format, **options)


SEEDS = {
    "JPEG": (noisy("JPEG"), noisy("JPEG", progressive=True), noisy("JPEG", "CMYK")),
    "PNG": (noisy("PNG", "RGBA"), noisy("PNG", "P")),
    "WebP": (
        noisy("WEBP"),
        noisy("WEBP", "RGBA", lossless=True),
        noisy("WEBP", save_all=True, append_images=[Image.new("RGB", TINY)]),
    ),
    "HEIC": (noisy("HEIF"), noisy("HEIF", "RGBA"), noisy("HEIF", tile_size=64)),
    "AVIF": (
        noisy("AVIF", speed=10),
        noisy("AVIF", "RGBA", speed=10),
        noisy("AVIF", speed=10, save_all=True, append_images=[Image.new("RGB", TINY)]),
    ),
    "GIF": (noisy("GIF"), noisy("GIF", save_all=True, append_images=[Image.new("RGB", TINY)])),
    "TIFF": (
        noisy("TIFF"),
        noisy("TIFF", "CMYK", compression="tiff_lzw"),
        noisy("TIFF", "I;16", compression="tiff_adobe_deflate"),
        noisy("TIFF", compression="jpeg"),
    ),
    "BMP": (noisy("BMP"), noisy("BMP", "P")),
}
EACH = pytest.mark.parametrize("kind", SEEDS)


def files(kind: str) -> st.SearchStrategy[bytes]:
    """Damaged files that begin as one of a kind, some with a file of any kind behind it.

    Heads are a small part of the bytes, and say what is allocated: every second damage is aimed at them.
    """
    one, any_one = (
        st.sampled_from(SEEDS[kind]),
        st.sampled_from([each for all_of in SEEDS.values() for each in all_of]),
    )
    return st.builds(
        damaged, one | st.builds(operator.add, one, any_one), DAMAGES, st.sampled_from([300, None])
    )


Do = Callable[[bytes, str], Any]


@pytest.fixture(scope="module")
def opened() -> Generator[Do]:
    """What one decoder makes of a file, for tests that are not asynchronous; None if it refuses it."""
    pool = DecoderPool()
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        runner.run(pool.__aenter__())

        def do(data: bytes, what: str) -> Any:
            path.write_bytes(data)
            try:
                if what == "fit":
                    return runner.run(pool.fit(path, 2_000))
                made = runner.run(getattr(pool, what)(path))
            except (PhotoRefused, PictureBroken):
                return None
            # Neither the end of a decoder nor its bounds, which would be raised.
            return sniff(path.read_bytes()[:64]) if what == "inspect" else made

        yield do
        runner.run(pool.__aexit__(None, None, None))


@EACH
@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(choice=st.data())
def test_a_damaged_photo_is_refused_or_one_that_studii_takes(
    opened: Do, kind: str, choice: st.DataObject
) -> None:
    found = opened(choice.draw(files(kind)), "inspect")
    assert found is None or found.is_accepted


@EACH
@pytest.mark.promise
@settings(max_examples=EXAMPLES)
@given(choice=st.data())
def test_a_damaged_output_is_broken_or_whole_and_fits_or_not(
    opened: Do, kind: str, choice: st.DataObject
) -> None:
    data = choice.draw(files(kind))
    assert len(opened(data, "check") or b"") <= MAX_THUMBNAIL_BYTES
    assert len(opened(data, "fit") or b"") <= 2_000


def test_a_tiff_whose_data_is_before_its_beginning_and_an_avif_without_a_clock_are_broken(opened: Do) -> None:
    offset = b"\x11\x01\x04\0\x01\0\0\0\x8c"  # which is below zero as a signed number
    tiff, avif = SEEDS["TIFF"][0], SEEDS["AVIF"][-1]
    assert offset in tiff
    assert opened(tiff.replace(offset, b"\x11\x01\x06" + offset[3:]), "inspect") is None
    assert opened(avif.replace(b"mdhd", b"mehd"), "inspect") is None
