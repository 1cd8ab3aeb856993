"""What a file is follows from its bytes, whatever its name says."""

import pytest

from bot.media import PhotoKind, sniff


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
