"""What a file is follows from its bytes, whatever its name says."""

import io

import pytest
from PIL import Image

from bot.media import PhotoKind, sniff
from bot.media.kinds import HEAD_BYTES


def encoded(image_format: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 7), "teal").save(buffer, image_format)
    return buffer.getvalue()[:HEAD_BYTES]


@pytest.mark.parametrize(
    ("image_format", "kind"),
    [
        ("JPEG", PhotoKind.JPEG),
        ("PNG", PhotoKind.PNG),
        ("WEBP", PhotoKind.WEBP),
        ("GIF", PhotoKind.GIF),
        ("TIFF", PhotoKind.TIFF),
        ("BMP", PhotoKind.BMP),
        ("AVIF", PhotoKind.AVIF),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(image_format: str, kind: PhotoKind) -> None:
    assert sniff(encoded(image_format)) is kind


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


def test_only_what_studii_takes_is_accepted() -> None:
    assert {kind.content_type for kind in PhotoKind if kind.is_accepted} == {
        "image/jpeg",
        "image/png",
        "image/webp",
    }
