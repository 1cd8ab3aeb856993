"""Words on pictures: no character is a box, and words are as large as they say."""

import pytest
from babel.messages.mofile import read_mo
from PIL import Image, ImageDraw

from bot.languages import Language, compiled_file
from bot.media.drawing import FallbackFont, is_writable

LETTERS = FallbackFont(40)


def ink(words: str, letters: FallbackFont = LETTERS) -> bytes:
    picture = Image.new("L", (1200, 80))
    letters.write(ImageDraw.Draw(picture), (10, 10), words, "white")
    return picture.tobytes()


@pytest.mark.promise
@pytest.mark.parametrize("language", list(Language))
def test_each_language_can_write_its_own_name(language: Language) -> None:
    assert all(map(is_writable, language.own_name))


@pytest.mark.promise
@pytest.mark.parametrize("language", [one for one in Language if one is not Language.ENGLISH])
def test_each_letter_of_the_translations_has_a_font(language: Language) -> None:
    with compiled_file(language).open("rb") as stream:
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
