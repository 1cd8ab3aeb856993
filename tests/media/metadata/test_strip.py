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
from tests.media.metadata.stripped import PHONES, Maker, Strip, assert_nothing_private, cleaned, shown

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
    stripped = cleaned(strip, photo)
    assert shown(stripped)[1:] == (6, ICC)
    assert (AI.encode() in stripped) is (b"xmpmeta" in stripped) is (source is not None)
    assert strip(stripped) == stripped


@pytest.mark.promise
@pytest.mark.parametrize("options", JPEG_KINDS)
def test_the_coded_data_of_a_jpeg_is_the_same_byte_for_byte(strip: Strip, options: dict[str, object]) -> None:
    plain = plain_jpeg(pixels((300, 200)), **options)
    photo = with_segments(plain, segment(0xE1, exif()), segment(0xFE, b"SECRET-COMMENT"))
    stripped = strip(photo + b"SECRET-VIDEO")
    assert_nothing_private(stripped)
    assert stripped.endswith(plain[plain.index(b"\xff\xdb") :])  # everything from the first table on


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


def exif_with(orientation: int, byte_order: str) -> bytes:
    data = Image.Exif()
    data.endian = byte_order
    data[ORIENTATION], data[0x010F] = orientation, "SECRET-MAKE"
    return segment(0xE1, b"Exif\0\0" + data.tobytes().removeprefix(b"Exif\0\0"))


UPRIGHT, ELSEWHERE = segment(0xE1, exif(1)), segment(0xE1, XMP_HEAD + xmp(orientation=3))
CMYK, GREY, RGB = plain_jpeg(pixels(mode="CMYK")), plain_jpeg(pixels(mode="L")), plain_jpeg()
ODD = {
    "little-endian": (with_segments(RGB, exif_with(8, "<")), 8),
    "big-endian": (with_segments(RGB, exif_with(8, ">")), 8),
    "turned twice, of which the first counts": (with_segments(RGB, exif_with(3, "<"), exif_with(6, ">")), 3),
    "turned by XMP alone": (with_segments(RGB, ELSEWHERE), 3),
    "upright, whatever XMP says": (with_segments(RGB, UPRIGHT, ELSEWHERE), 1),
    "upright, whatever XMP said before": (with_segments(RGB, ELSEWHERE, UPRIGHT), 1),
    "inks": (with_segments(CMYK, segment(0xEE, b"Adobe\0\x64\0\0\0\0\x02SECRET-COMMENT"), UPRIGHT), 1),
    "grey": (with_segments(GREY, exif_with(3, "<")), 3),
    "a thumbnail in its JFIF header": (
        RGB[:2] + segment(0xE0, b"JFIF\0\x01\x02\0\0\x01\0\x01\x01\x04SECRET-THUMB") + RGB[20:],
        1,
    ),
    "a marker and an end in its thumbnail": (
        with_segments(RGB, segment(0xE1, exif() + b"\xff\xd9\xff\xda\0\x02SECRET-THUMB\xff\xd9")),
        6,
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_odd_jpegs_lose_what_is_private_and_look_the_same(strip: Strip, kind: str) -> None:
    photo, turned = ODD[kind]
    assert shown(cleaned(strip, photo))[1] == turned


@pytest.mark.parametrize("filler", [b"", b"\xff", b"\xff\x00", b"\xff\xd0", b"\x00\xff\xd0", b"\x00" * 70])
@pytest.mark.parametrize("plain", [plain_jpeg, plain_png, plain_webp])
def test_a_photo_without_metadata_stays_as_it_is_and_stray_bytes_cost_little(
    strip: Strip, plain: Maker, filler: bytes
) -> None:
    photo = plain(icc_profile=ICC)
    there = filler * 50_000 if plain is plain_jpeg else b""
    assert strip(photo[:20] + there + photo[20:]) == photo


@pytest.mark.parametrize("image_format", ["PNG", "WEBP"])
def test_a_moving_picture_still_moves(strip: Strip, image_format: str) -> None:
    buffer = io.BytesIO()
    frames = [pixels((40, 30)) for _ in range(3)]
    frames[0].save(buffer, image_format, save_all=True, append_images=frames[1:], duration=90, exif=exif())
    with Image.open(io.BytesIO(cleaned(strip, buffer.getvalue()))) as image:
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
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [data]


@pytest.mark.parametrize("data", [b"", b"GIF89a SECRET", b"%PDF-1.7", b"II*\0 SECRET"])
def test_files_of_other_kinds_are_not_touched(strip: Strip, data: bytes) -> None:
    assert strip(data) == data
