"""The mark that a picture was made with AI stays, wherever a file keeps it, and nothing else with it."""

import io

import pytest
from PIL import Image

from tests.media.metadata.photos import (
    AI,
    CAMERA,
    XMP_HEAD,
    actions,
    app11,
    chunk,
    jumbf,
    phone_jpeg,
    phone_png,
    phone_webp,
    plain_jpeg,
    plain_webp,
    riff,
    segment,
    webp_chunk,
    webp_chunks,
    with_chunks,
    with_segments,
    xmp,
)
from tests.media.metadata.stripped import Strip, assert_nothing_private, cleaned


def with_store(kind: str, store: bytes) -> bytes:
    """A photo with metadata and with the C2PA manifest store."""
    match kind:
        case "jpeg":
            return with_segments(phone_jpeg(), *app11(store))
        case "png":
            return with_chunks(phone_png(), chunk(b"caBX", store))
        case "webp":
            chunks = [webp_chunk(name, data) for name, data in webp_chunks(phone_webp()[:-12])]
            return riff(*chunks, webp_chunk(b"C2PA", store))
        case _:
            return riff(plain_webp()[12:], webp_chunk(b"C2PA", store))


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "simple webp"])
def test_a_manifest_goes_and_its_mark_stays(strip: Strip, kind: str) -> None:
    photo = with_store(
        kind, jumbf(actions(AI), b"c2pa.thumbnail.claim.jpeg SECRET-THUMB stds.exif SECRET-GPS")
    )
    stripped = cleaned(strip, photo)
    assert b"c2pa" not in stripped
    with Image.open(io.BytesIO(stripped)) as image:
        assert f'"{AI}"' in str(image.info["xmp"])


def test_a_mark_in_a_manifest_in_several_segments_stays(strip: Strip) -> None:
    parts = app11(jumbf(b"x" * 59_900, actions(AI), b"x" * 50_000))
    assert len(parts) > 1
    assert all(AI.encode() not in part for part in parts)  # or the test could not fail
    assert AI.encode() + b'"' in strip(with_segments(phone_jpeg(), *parts))


def test_a_cameras_manifest_leaves_nothing_and_a_large_one_is_not_read(strip: Strip) -> None:
    for photo in (
        with_store("jpeg", jumbf(actions(CAMERA), b"SECRET-SERIAL")),
        with_store("png", jumbf(b"x" * 5_000_000, actions(AI))),
    ):
        stripped = strip(photo)
        assert_nothing_private(stripped)
        assert b"c2pa" not in stripped
        assert b"DigitalSourceType" not in stripped


@pytest.mark.promise
@pytest.mark.parametrize(
    "said",
    [
        f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{AI}"/>'.encode(),
        f"<rdf:Description Iptc4xmpExt:DigitalSourceType = '{AI}'/>".encode(),
        f"<Iptc4xmpExt:DigitalSourceType>\n {AI}\n</Iptc4xmpExt:DigitalSourceType>".encode(),
        f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{AI}"/>'.encode(),
        f"<Iptc4xmpExt:DigitalSourceType><rdf:Bag>\n<rdf:li>{AI}</rdf:li></rdf:Bag></Iptc4xmpExt:DigitalSourceType>".encode(),
        *(xmp(AI).decode().encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be")),
    ],
)
def test_the_mark_is_found_in_each_of_its_spellings(strip: Strip, said: bytes) -> None:
    stripped = strip(with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + said + b" SECRET-XMP")))
    assert_nothing_private(stripped)
    assert f'Iptc4xmpExt:DigitalSourceType="{AI}"'.encode() in stripped


def test_nothing_but_a_mark_passes_for_one(strip: Strip) -> None:
    for value in ("SECRET-XMP", "https://example.com/SECRET-XMP", f"{AI}?SECRET-XMP=1"):
        photo = with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + xmp(value)))
        stripped = strip(photo)
        assert_nothing_private(stripped)
        assert b"DigitalSourceType" not in stripped
