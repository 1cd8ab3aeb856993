"""Copies of results: what they say of AI, and what they keep."""

import io
from pathlib import Path

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from bot.media.metadata import MADE_BY_AI, with_digital_source
from tests.support.decoders import SharedDecoders

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="Studii"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def result(folder: Path, size: tuple[int, int] = (600, 400)) -> Path:
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    path = folder / "result"
    Image.new("RGB", size, "white").save(path, "PNG", pnginfo=texts)
    return path


def darkest(image: Image.Image) -> int:
    return min(image.convert("L").tobytes())


def xmp_of(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        found = image.info["xmp"]
        assert isinstance(found, bytes)
        return found


@pytest.mark.promise
async def test_a_smaller_copy_keeps_its_xmp_and_says_that_ai_made_it(tmp_path: Path) -> None:
    data = await SharedDecoders().fit(result(tmp_path), 50_000, made=True)
    assert data is not None
    assert b'dc:source="Studii"' in xmp_of(data)
    assert MADE_BY_AI.encode() in xmp_of(data)
    assert b"c2pa" not in data


@pytest.mark.promise
async def test_a_photo_that_is_made_smaller_is_not_said_to_be_made_by_ai(tmp_path: Path) -> None:
    data = await SharedDecoders().fit(result(tmp_path), 50_000)
    assert data is not None
    assert b"DigitalSourceType" not in data


@pytest.mark.promise
async def test_a_labelled_copy_has_the_words_in_its_corner_and_nothing_else_changed(tmp_path: Path) -> None:
    for corner, box in (("bottom-left", (0, 350, 250, 400)), ("top-right", (350, 0, 600, 50))):
        data = await SharedDecoders().label(result(tmp_path), 200_000, "Virtually staged", corner)
        assert data is not None
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (600, 400)
            assert darkest(image.crop(box)) < 150
            assert darkest(image.crop((0, 100, 600, 300))) > 240
        assert MADE_BY_AI.encode() in xmp_of(data)


async def test_a_label_that_is_wider_than_the_picture_is_made_smaller(tmp_path: Path) -> None:
    data = await SharedDecoders().label(
        result(tmp_path, (120, 400)), 200_000, "Virtually staged " * 4, "top-left"
    )
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (120, 400)


def test_a_mark_that_says_ai_stays_and_a_camera_s_is_added_to() -> None:
    marked = with_digital_source(XMP, MADE_BY_AI)
    assert with_digital_source(marked, "http://example.org/other") == marked
    assert marked.endswith(b"</rdf:RDF></x:xmpmeta>")
    assert with_digital_source(b"no packet", MADE_BY_AI).startswith(b"<?xpacket")
