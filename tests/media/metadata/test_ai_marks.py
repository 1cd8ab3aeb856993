"""The mark that a picture was made with AI stays, wherever a file keeps it, and nothing else with it."""

import io
import zlib

import pytest
from PIL import Image

from tests.media.metadata.photos import (
    AI,
    CAMERA,
    ICC,
    XMP_HEAD,
    actions,
    app11,
    chunk,
    jumbf,
    phone_jpeg,
    phone_png,
    phone_webp,
    plain_jpeg,
    plain_png,
    plain_webp,
    raw_profile,
    riff,
    segment,
    webp_chunk,
    webp_chunks,
    with_chunks,
    with_segments,
    xmp,
)
from tests.media.metadata.stripped import Strip, assert_nothing_private, shown


@pytest.mark.parametrize(
    "text",
    [
        raw_profile(b"xmp", xmp(AI), is_deflated=False),
        raw_profile(b"xmp", xmp(AI), is_deflated=True),
        raw_profile(b"APP1", XMP_HEAD + xmp(AI), is_deflated=True),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0en\0\0" + zlib.compress(xmp(AI))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0en\0\0" + xmp(AI)),
    ],
)
def test_the_mark_is_found_wherever_a_png_keeps_it(strip: Strip, text: bytes) -> None:
    stripped = strip(with_chunks(plain_png(), text))
    assert_nothing_private(stripped)
    assert f'DigitalSourceType="{AI}"'.encode() in stripped


def test_a_text_that_inflates_to_very_much_is_dropped_unread(strip: Strip) -> None:
    bomb = zlib.compress(xmp(AI) + bytes(50_000_000))
    stripped = strip(with_chunks(plain_png(), chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)))
    assert b"DigitalSourceType" not in stripped


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_the_mark_is_found_in_wide_characters(strip: Strip, encoding: str) -> None:
    packet = xmp(AI).decode().encode(encoding)
    stripped = strip(with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + packet)))
    assert f'DigitalSourceType="{AI}"'.encode() in stripped


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
def test_a_manifest_that_says_that_ai_was_used_stays_whole(strip: Strip, kind: str) -> None:
    store = jumbf(actions(AI), b"signature of a service")
    stripped = strip(with_store(kind, store))
    assert_nothing_private(stripped)
    assert store in stripped


def test_a_manifest_in_several_segments_stays_whole(strip: Strip) -> None:
    parts = app11(jumbf(b"x" * 100_000, actions(AI)))
    assert len(parts) > 1
    stripped = strip(with_segments(phone_jpeg(), *parts))
    assert all(part in stripped for part in parts)


def test_a_signed_file_with_nothing_else_in_it_stays_as_it_is(strip: Strip) -> None:
    photo = with_segments(plain_jpeg(icc_profile=ICC), *app11(jumbf(actions(AI))))
    assert strip(photo) == photo


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "simple webp"])
@pytest.mark.parametrize(
    "private",
    [b"c2pa.thumbnail.claim.jpeg SECRET-THUMB", b"stds.exif SECRET-GPS", b"cawg.identity SECRET-MAKE"],
)
def test_a_manifest_with_something_private_goes_and_its_mark_stays(
    strip: Strip, kind: str, private: bytes
) -> None:
    photo = with_store(kind, jumbf(actions(AI), private))
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert b"c2pa" not in stripped
    assert AI.encode() + b'"' in stripped
    assert shown(stripped) == shown(photo)
    with Image.open(io.BytesIO(stripped)) as image:
        assert AI in str(image.info["xmp"])


def test_a_cameras_manifest_goes_and_a_large_one_is_not_read(strip: Strip) -> None:
    stripped = strip(with_store("jpeg", jumbf(actions(CAMERA), b"SECRET-SERIAL")))
    assert b"c2pa" not in stripped
    assert CAMERA.encode() + b'"' in stripped
    assert b"c2pa" not in strip(with_store("png", jumbf(b"x" * 5_000_000)))


@pytest.mark.promise
@pytest.mark.parametrize(
    "said",
    [
        f'<rdf:Description Iptc4xmpExt:DigitalSourceType="{AI}"/>',
        f"<rdf:Description Iptc4xmpExt:DigitalSourceType = '{AI}'/>",
        f"<Iptc4xmpExt:DigitalSourceType>\n {AI}\n</Iptc4xmpExt:DigitalSourceType>",
        f'<Iptc4xmpExt:DigitalSourceType rdf:resource="{AI}"/>',
        f"<Iptc4xmpExt:DigitalSourceType><rdf:Bag>\n<rdf:li>{AI}</rdf:li></rdf:Bag></Iptc4xmpExt:DigitalSourceType>",
    ],
)
def test_the_mark_is_found_in_each_of_its_spellings(strip: Strip, said: str) -> None:
    photo = with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + said.encode() + b" SECRET-XMP"))
    stripped = strip(photo)
    assert_nothing_private(stripped)
    assert f'Iptc4xmpExt:DigitalSourceType="{AI}"'.encode() in stripped


def test_nothing_but_a_mark_passes_for_one(strip: Strip) -> None:
    for value in ("SECRET-XMP", "https://example.com/SECRET-XMP", f"{AI}?SECRET-XMP=1"):
        photo = with_segments(plain_jpeg(), segment(0xE1, XMP_HEAD + xmp(value)))
        assert_nothing_private(strip(photo))
