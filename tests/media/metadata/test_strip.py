"""Metadata leaves a photo, and nothing that can be seen changes."""

import io
from pathlib import Path

import pytest
from PIL import Image

from bot.media.metadata import BrokenStructure, strip_metadata
from tests.media.metadata.photos import (
    AI,
    ICC,
    ORIENTATION,
    SECRETS,
    XMP_HEAD,
    chunk,
    exif,
    phone_jpeg,
    pixels,
    plain_jpeg,
    plain_png,
    plain_webp,
    riff,
    segment,
    webp_chunk,
    webp_chunks,
    with_chunks,
    with_segments,
    xmp,
)
from tests.media.metadata.stripped import PHONES, Maker, Strip, assert_nothing_private, entropy, shown

JPEG_KINDS = [
    {},
    {"progressive": True},
    {"restart_marker_blocks": 2},
    {"subsampling": 0, "quality": 100},
]


@pytest.mark.parametrize("source", [None, AI])
@pytest.mark.parametrize("phone", PHONES)
def test_a_phones_photo_loses_what_is_private_and_looks_the_same(
    strip: Strip, phone: Maker, source: str | None
) -> None:
    photo = phone(source=source)
    assert any(secret in photo for secret in SECRETS)
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)
    assert shown(stripped)[1:] == (6, ICC)
    assert (AI.encode() in stripped) is (source is not None)
    assert (b"xmpmeta" in stripped) is (source is not None)


@pytest.mark.promise
@pytest.mark.parametrize("options", JPEG_KINDS)
def test_the_coded_data_of_a_jpeg_is_the_same_byte_for_byte(strip: Strip, options: dict[str, object]) -> None:
    plain = plain_jpeg(pixels((300, 200)), **options)
    photo = with_segments(plain, segment(0xE1, exif()), segment(0xFE, b"SECRET-COMMENT"))
    stripped = strip(photo + b"SECRET-VIDEO")
    assert_nothing_private(stripped)
    assert entropy(stripped) == entropy(plain)


@pytest.mark.promise
def test_the_coded_data_of_png_and_webp_is_the_same_byte_for_byte(strip: Strip) -> None:
    png, webp = plain_png(), plain_webp(lossless=True)
    assert strip(with_chunks(png, chunk(b"tEXt", b"Comment\0SECRET-COMMENT")) + b"SECRET-VIDEO") == png
    extended = riff(
        webp_chunk(b"VP8X", bytes((0x08, 0, 0, 0)) + (60).to_bytes(3, "little") + (46).to_bytes(3, "little")),
        webp[12:],
        webp_chunk(b"EXIF", exif(None)[6:]),
    )
    kept = dict(webp_chunks(strip(extended)))
    assert kept[b"VP8L"] == dict(webp_chunks(webp))[b"VP8L"]
    assert kept[b"VP8X"][0] == 0
    assert set(kept) == {b"VP8X", b"VP8L"}


@pytest.mark.promise
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("phone", PHONES)
def test_every_orientation_stays(strip: Strip, phone: Maker, orientation: int) -> None:
    with Image.open(io.BytesIO(strip(phone(orientation)))) as image:
        assert image.getexif().get(ORIENTATION, 1) == orientation


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_orientation_is_read_in_both_byte_orders(strip: Strip, byte_order: str) -> None:
    data = Image.Exif()
    data.endian = byte_order
    data[ORIENTATION], data[0x010F] = 8, "SECRET-MAKE"
    stripped = strip(
        with_segments(plain_jpeg(), segment(0xE1, b"Exif\0\0" + data.tobytes().removeprefix(b"Exif\0\0")))
    )
    assert_nothing_private(stripped)
    assert shown(stripped)[1] == 8


def test_an_orientation_that_xmp_alone_tells_stays_there(strip: Strip) -> None:
    photo = with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + xmp(orientation=3)))
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)
    assert shown(stripped)[1] == 3


def test_exif_that_says_upright_is_not_overruled_by_xmp(strip: Strip) -> None:
    for segments in (
        [segment(0xE1, exif(1)), segment(0xE1, XMP_HEAD + xmp(orientation=3))],
        [segment(0xE1, XMP_HEAD + xmp(orientation=3)), segment(0xE1, exif(1))],
    ):
        assert shown(strip(with_segments(plain_jpeg(), *segments)))[1] in {None, 1}


def test_adobe_rgb_without_a_profile_is_still_adobe_rgb(strip: Strip) -> None:
    data = Image.Exif()
    data[0x010F] = "SECRET-MAKE"
    inner = data.get_ifd(0x8769)
    inner[0xA001], inner[0xA005] = 0xFFFF, {1: "R03"}
    stripped = strip(
        with_segments(plain_jpeg(), segment(0xE1, b"Exif\0\0" + data.tobytes().removeprefix(b"Exif\0\0")))
    )
    assert b"SECRET-MAKE" not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        assert image.getexif().get_ifd(0x8769)[0xA001] == 0xFFFF
        assert image.getexif().get_ifd(0xA005)[1] == "R03"


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_a_jpeg_in_other_colours_looks_the_same(strip: Strip, mode: str) -> None:
    plain = plain_jpeg(pixels(mode=mode))
    photo = with_segments(
        plain, segment(0xEE, b"Adobe\0\x64\0\0\0\0\x02SECRET-COMMENT"), segment(0xE1, exif())
    )
    if mode == "L":
        photo = with_segments(plain, segment(0xE1, exif()))
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)


def test_the_thumbnail_of_a_jfif_header_goes(strip: Strip) -> None:
    plain = plain_jpeg()
    head = segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x04SECRET-THUMB")
    photo = plain[:2] + head + plain[20:]
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)
    assert stripped[:4] == plain[:4]


@pytest.mark.parametrize("plain", [plain_jpeg, plain_png, plain_webp])
def test_a_photo_without_metadata_stays_as_it_is(tmp_path: Path, plain: Maker) -> None:
    path = tmp_path / "photo"
    path.write_bytes(plain(icc_profile=ICC))
    before = path.stat()
    assert strip_metadata(path) is False
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("source", [None, AI])
@pytest.mark.parametrize("phone", PHONES)
def test_removing_it_twice_changes_nothing_more(strip: Strip, phone: Maker, source: str | None) -> None:
    once = strip(phone(source=source))
    assert strip(once) == once


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_a_moving_picture_still_moves(strip: Strip, image_format: str) -> None:
    buffer = io.BytesIO()
    frames = [pixels((40, 30)) for _ in range(3)]
    frames[0].save(buffer, image_format, save_all=True, append_images=frames[1:], duration=90, exif=exif())
    stripped = strip(buffer.getvalue())
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(buffer.getvalue())
    with Image.open(io.BytesIO(stripped)) as image:
        assert getattr(image, "n_frames", 1) == 3


@pytest.mark.parametrize(
    "data",
    [
        phone_jpeg()[:200],
        plain_jpeg()[:-2],
        plain_jpeg()[:2] + b"\xff\xe1\x00\x01" + plain_jpeg()[2:],
        plain_png()[:-12],
        plain_png()[:60],
        plain_png()[:33] + b"\xff\xff\xff\xfftEXt" + plain_png()[33:],
        plain_webp()[:-4],
        riff(),
        b"\xff\xd8" + b"\xff\xfe\x00\x02" * 100_001 + plain_jpeg()[2:],
    ],
    ids=range(9),
)
def test_a_file_that_contradicts_itself_is_refused_and_left_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "photo"
    path.write_bytes(data)
    with pytest.raises(BrokenStructure):
        strip_metadata(path)
    assert path.read_bytes() == data
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("data", [b"", b"GIF89a SECRET", b"%PDF-1.7", b"II*\0 SECRET"])
def test_files_of_other_kinds_are_not_touched(strip: Strip, data: bytes) -> None:
    assert strip(data) == data


def test_a_marker_or_an_end_in_the_thumbnail_ends_nothing(strip: Strip) -> None:
    photo = with_segments(plain_jpeg(), segment(0xE1, exif() + b"\xff\xd9\xff\xda\0\x02SECRET-THUMB\xff\xd9"))
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert shown(stripped) == shown(photo)


def test_a_large_photo_is_copied_in_blocks_wherever_their_borders_fall(strip: Strip) -> None:
    for extra in range(3):
        plain = plain_jpeg(pixels((1100, 900)), quality=98)
        assert len(plain) > 3 * 256 * 1024
        photo = with_segments(plain, segment(0xFE, b"x" * (1000 + extra)), segment(0xE1, exif(3)))
        stripped = strip(photo + b"SECRET-VIDEO" * 30_000)
        assert entropy(stripped) == entropy(plain)


def test_fill_bytes_that_end_a_block_are_no_end(strip: Strip) -> None:
    plain = plain_jpeg()
    photo = plain[:20] + b"\xff" * 600_000 + plain[20:]
    stripped = strip(photo)
    assert shown(stripped) == shown(photo)
    assert stripped == plain


@pytest.mark.parametrize("filler", [b"\xff\x00", b"\xff\xd0", b"\x00\xff\xd0", b"\x00" * 70])
def test_stray_bytes_between_segments_go_and_cost_little(strip: Strip, filler: bytes) -> None:
    plain = plain_jpeg()
    assert strip(plain[:20] + filler * 50_000 + plain[20:]) == plain
