"""Copies of results, and the words on them."""

import io
from pathlib import Path
from typing import Any

import pytest
from babel.messages.mofile import read_mo
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

from bot.languages import FOLDER, OWN_NAMES, Language
from bot.media.drawing import WIPE_STEPS, FallbackFont, is_writable
from bot.media.metadata import MADE_BY_AI, strip_metadata, with_digital_source
from bot.media.pool import MAX_THUMBNAIL_BYTES
from tests.media.files import AI, SECRETS, phone_jpeg, phone_png, phone_webp
from tests.support.decoders import SharedDecoders

DECODERS = SharedDecoders()
LABELS = ("Before", "After")
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


def opened(data: bytes | None, limit: int) -> Image.Image:
    assert data is not None
    assert len(data) <= limit
    return Image.open(io.BytesIO(data))


def darkest(image: Image.Image) -> int:
    return min(image.convert("L").tobytes())


@pytest.mark.promise
async def test_a_smaller_copy_keeps_its_xmp_and_says_that_ai_made_it(tmp_path: Path) -> None:
    xmp = opened(await DECODERS.fit(result(tmp_path), 50_000, made=True), 50_000).info["xmp"]
    assert b'dc:source="Studii"' in xmp
    assert MADE_BY_AI.encode() in xmp
    assert b"c2pa" not in xmp


@pytest.mark.promise
@pytest.mark.parametrize("picture", [phone_jpeg(), phone_png(), phone_webp()])
async def test_a_thumbnail_is_small_and_says_that_ai_made_it(tmp_path: Path, picture: bytes) -> None:
    path = tmp_path / "result"
    path.write_bytes(picture)
    data = await DECODERS.check(path)
    image = opened(data, MAX_THUMBNAIL_BYTES)
    assert (image.format, max(image.size) <= 160) == ("WEBP", True)
    assert [secret for secret in SECRETS if secret in data] == []
    assert MADE_BY_AI in str(image.info["xmp"])
    assert len(await DECODERS.check(result(tmp_path, (1536, 1024)))) < 2_000


@pytest.mark.promise
async def test_a_photo_that_is_made_smaller_is_not_said_to_be_made_by_ai(tmp_path: Path) -> None:
    assert "xmp" not in opened(await DECODERS.fit(result(tmp_path), 50_000), 50_000).info


@pytest.mark.promise
async def test_a_labelled_copy_has_the_words_in_its_corner_and_nothing_else_changed(tmp_path: Path) -> None:
    for corner, box in (("bottom-left", (0, 350, 250, 400)), ("top-right", (350, 0, 600, 50))):
        data = await DECODERS.label(result(tmp_path), 200_000, "Virtually staged", corner)
        image = opened(data, 200_000)
        assert image.size == (600, 400)
        assert darkest(image.crop(box)) < 150
        assert darkest(image.crop((0, 100, 600, 300))) > 240
        assert MADE_BY_AI.encode() in image.info["xmp"]
    narrow = await DECODERS.label(result(tmp_path, (120, 400)), 200_000, "Virtually staged " * 4, "top-left")
    assert opened(narrow, 200_000).size == (120, 400)


def test_a_mark_that_says_ai_stays_and_a_camera_s_is_added_to() -> None:
    marked = with_digital_source(XMP, MADE_BY_AI)
    assert with_digital_source(marked, "http://example.org/other") == marked
    assert marked.endswith(b"</rdf:RDF></x:xmpmeta>")
    assert with_digital_source(b"no packet", MADE_BY_AI).startswith(b"<?xpacket")


@pytest.mark.parametrize("photo", [phone_jpeg(source=AI), phone_png(source=AI), phone_webp(source=AI)])
async def test_a_copy_that_is_made_to_fit_carries_nothing_but_the_mark(tmp_path: Path, photo: bytes) -> None:
    path = tmp_path / "photo"
    path.write_bytes(photo)
    strip_metadata(path)
    fitted = await DECODERS.fit(path, 5000)
    image = opened(fitted, 5000)
    assert [secret for secret in SECRETS if secret in (fitted or b"")] == []
    assert AI in str(image.info["xmp"])
    assert not image.getexif()


async def test_the_left_half_is_before_and_the_right_half_after(tmp_path: Path) -> None:
    before, after, broken = (tmp_path / name for name in ("before", "after", "broken"))
    Image.new("RGB", (300, 900), "blue").save(before, "JPEG")
    Image.new("RGBA", (800, 600), "orange").save(after, "PNG")
    broken.write_bytes(b"no picture")
    made = opened(await DECODERS.split(before, after, 1_000_000, LABELS), 1_000_000)
    assert made.size == (800, 600)
    assert [made.getpixel((x, 300)) for x in (100, 700)] == [
        pytest.approx(colour, abs=8) for colour in ((0, 0, 255), (255, 165, 0))
    ]
    assert MADE_BY_AI in str(made.info["xmp"])
    moving: Any = opened(await DECODERS.split(before, after, 1_000_000, LABELS, moves=True), 1_000_000)
    assert MADE_BY_AI in str(moving.info["xmp"])
    seen: list[Any] = []
    for frame in (0, WIPE_STEPS):  # all before, and all after
        moving.seek(frame)
        seen += [moving.convert("RGB").getpixel((x, 300)) for x in (100, 700)]
    assert seen == [pytest.approx(one, abs=8) for one in 2 * [(0, 0, 255)] + 2 * [(255, 165, 0)]]
    assert await DECODERS.split(broken, after, 60_000, LABELS) is None
    assert await DECODERS.split(after, broken, 60_000, LABELS) is None


async def test_what_is_seen_through_is_white_in_a_copy(tmp_path: Path) -> None:
    path = tmp_path / "result"
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(path, "PNG")
    assert darkest(opened(await DECODERS.fit(path, 50_000), 50_000)) > 250


LETTERS = FallbackFont(40)


def ink(words: str, letters: FallbackFont = LETTERS) -> bytes:
    picture = Image.new("L", (1200, 80))
    letters.write(ImageDraw.Draw(picture), (10, 10), words, "white")
    return picture.tobytes()


@pytest.mark.promise
@pytest.mark.parametrize("language", list(Language))
def test_each_language_can_write_its_own_name(language: Language) -> None:
    assert all(map(is_writable, OWN_NAMES[language]))


@pytest.mark.promise
@pytest.mark.parametrize("language", [one for one in Language if one is not Language.ENGLISH])
def test_each_letter_of_the_translations_has_a_font(language: Language) -> None:
    with (FOLDER / language / "LC_MESSAGES" / "studii.mo").open("rb") as stream:
        said = "".join(str(message.string) for message in read_mo(stream) if message.id)
    assert said
    assert not {one for one in said if one.isalnum() and not is_writable(one)}


@pytest.mark.parametrize("strange", ["\U0001f3a8", "简", "한", "\uffff", "\U0010ffff"])
def test_what_no_font_has_is_left_out(strange: str) -> None:
    assert not is_writable(strange)
    assert ink(f"写真{strange}Studio") == ink("写真Studio")
    assert LETTERS.width(strange) == 0


def test_what_unicode_calls_the_same_is_written_instead() -> None:
    assert ink("a\u2009b cafe\u0301\u200b\ufe0f") == ink("a b café")
    assert ink("Škoda の写真") == ink("Skoda の写真")  # the Japanese font lacks the letter


@pytest.mark.parametrize("words", ["Studio", "写真の予算", "写真 Studio", "Übergröße"])
@pytest.mark.parametrize("weight", ["Regular", "Semibold"])
def test_its_box_is_what_it_covers(words: str, weight: str) -> None:
    letters = FallbackFont(40, weight)
    picture = Image.new("L", (600, 200))
    letters.write(ImageDraw.Draw(picture), (100, 100), words, "white", anchor="ls")
    covered = picture.getbbox()
    assert covered is not None
    assert all(abs(one - said - 100) <= 4 for one, said in zip(covered, letters.bounds(words), strict=True))
