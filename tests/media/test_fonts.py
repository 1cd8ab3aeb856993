"""Words on pictures: no character is a box, and the parts of a line don't cover each other."""

import pytest
from babel.messages.mofile import read_mo
from PIL import Image, ImageDraw

from bot.languages import Language, compiled_file
from bot.media.fonts import FallbackFont, script_of

LETTERS = FallbackFont(40)
EUROPEAN = (
    "ÄÖÜäöüß ÀÂÇÉÈÊËÎÏÔÙÛÜŸàâçéèêëîïôùûüÿœŒæ ÁÉÍÑÓÚÜáéíñóúü¿¡ ÃÕãõ «»„“”’‘…–—·≈×€ 0123456789.,%\u00a0\u202f"
)
JAPANESE = "予算 設定 写真 編集部 株式会社 ひらがな カタカナ ー々〜「」『』、。・（）！？：％１２３①㎡"


def ink(words: str, letters: FallbackFont = LETTERS) -> bytes:
    picture = Image.new("L", (1200, 80))
    letters.write(ImageDraw.Draw(picture), (10, 10), words, "white")
    return picture.tobytes()


@pytest.mark.parametrize("character", sorted(set(EUROPEAN)))
def test_european_letters_are_all_of_one_font(character: str) -> None:
    assert script_of(character) == "latin"


@pytest.mark.parametrize("character", sorted(set(JAPANESE) - {" "}))
def test_japanese_characters_have_a_font(character: str) -> None:
    assert script_of(character) == "japanese"


@pytest.mark.promise
@pytest.mark.parametrize("language", list(Language))
def test_each_language_can_write_its_own_name(language: Language) -> None:
    assert all(map(script_of, language.own_name))


@pytest.mark.promise
@pytest.mark.parametrize("language", [one for one in Language if one is not Language.ENGLISH])
def test_each_letter_of_the_translations_has_a_font(language: Language) -> None:
    with compiled_file(language).open("rb") as stream:
        said = "".join(str(message.string) for message in read_mo(stream) if message.id)
    assert said
    assert not {one for one in said if one.isalnum() and script_of(one) is None}


@pytest.mark.parametrize("strange", ["\U0001f3a8", "简", "한", "\uffff", "\U0010ffff"])
def test_what_no_font_has_is_left_out(strange: str) -> None:
    assert script_of(strange) is None
    assert ink(f"写真{strange}Studio") == ink("写真Studio")
    assert LETTERS.width(strange) == 0
    assert LETTERS.bounds(strange) == (0, 0, 0, 0)


def test_what_unicode_calls_the_same_is_written_instead() -> None:
    assert ink("a\u2009b cafe\u0301") == ink("a b café")


def test_invisible_characters_draw_nothing() -> None:
    assert ink("\u200b\ufe0f") == ink("")


def test_parts_in_two_fonts_follow_each_other() -> None:
    parts = "写真", "Studio", "予算"
    assert LETTERS.width("".join(parts)) == pytest.approx(sum(map(LETTERS.width, parts)))
    left, upper, right, lower = LETTERS.bounds("".join(parts))
    assert 0 <= left < right <= LETTERS.width("".join(parts))
    assert upper < 0 <= lower


@pytest.mark.parametrize("words", ["Studio", "写真の予算", "写真 Studio", "Übergröße"])
@pytest.mark.parametrize("weight", ["Regular", "Semibold"])
def test_its_box_is_what_it_covers(words: str, weight: str) -> None:
    letters = FallbackFont(40, weight)
    picture = Image.new("L", (600, 200))
    letters.write(ImageDraw.Draw(picture), (100, 100), words, "white", anchor="ls")
    covered = picture.getbbox()
    assert covered is not None
    assert all(abs(one - said - 100) <= 4 for one, said in zip(covered, letters.bounds(words), strict=True))


def test_a_heavier_weight_is_heavier_in_both_fonts() -> None:
    for words in ("Studio", "写真"):
        assert sum(ink(words, FallbackFont(40, "Semibold"))) > sum(ink(words))
