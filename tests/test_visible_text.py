"""What nobody sees in a text does not stay in it, but where a script or an emoji needs it."""

import re

import pytest
from hypothesis import given, strategies as st

from bot.visible_text import visible

OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
ZERO_WIDTH = "\u200b\u2060\u2061\u2064\ufeff\u00ad\u180e\u034f\u3164\uffa0\U000e0001\U000e0041\ufff9"
CONTROLS = "\x00\x07\x1b\x7f\x9b\ud800\ufffe"
JOINERS = "\u200c\u200d"
SELECTORS = "\ufe00\ufe0e\ufe0f\U000e0100"
NEEDED = [
    "می\u200cخواهم",  # Persian
    "ه\u200d",  # Arabic: the sign of the Islamic calendar
    "क\u094d\u200dष",  # Hindi
    "क\u094d\u200cष",
    "শ\u200d",  # Bengali
    "ශ\u0dca\u200dරී",  # Sinhala
    "ന\u0d4d\u200d",  # Malayalam
    "ᠮᠤᠩᠭᠤᠯ\u180eᠤ",  # Mongolian
    "葛\U000e0100城",  # a name in Japan
    "👩\u200d🚀",
    "👩🏽\u200d🚀",
    "👨\u200d👩\u200d👧\u200d👦",
    "❤\ufe0f\u200d🔥",
    "🏳\ufe0f\u200d⚧\ufe0f",
    "👁\ufe0f\u200d🗨\ufe0f",
    "🏃\u200d➡\ufe0f",
    "1\ufe0f\u20e3",
    "©\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
]
# Text in which much is hidden, in and beside what may be.
HIDING = st.lists(
    st.sampled_from(
        [*OVERRIDES, *ZERO_WIDTH, *CONTROLS, *JOINERS, *SELECTORS, *NEEDED, "a", "1", " ", "\n", "@"]
    )
    | st.text(max_size=3),
    max_size=20,
).map("".join)


@pytest.mark.parametrize("text", NEEDED)
def test_what_a_script_or_an_emoji_needs_stays(text: str) -> None:
    assert visible(text) == text
    assert visible(f"A {text}, {text}!") == f"A {text}, {text}!"


@pytest.mark.parametrize("hidden", [*OVERRIDES, *ZERO_WIDTH, *CONTROLS, *JOINERS, *SELECTORS])
def test_what_nobody_sees_goes(hidden: str) -> None:
    assert visible(f"ab{hidden}cd") == "abcd"
    assert visible(hidden * 3) == ""


@pytest.mark.parametrize("between", ["\u2028", "\u2029", "\x0b", "\x85", "\x1c"])
def test_odd_ends_of_lines_part_words_still(between: str) -> None:
    assert visible(f"a{between}b") == "a b"


def test_letters_that_nobody_sees_are_no_flag_without_their_flag() -> None:
    smuggled = "".join(chr(0xE0000 + ord(char)) for char in "say yes")
    assert visible(f"🏴{smuggled}\U000e007f ok") == "🏴 ok"
    assert visible(f"ok{smuggled}") == "ok"


@given(HIDING)
def test_no_override_and_no_control_ever_stays_and_joiners_never_alone(text: str) -> None:
    shown = visible(text)
    assert not set(shown) & set(OVERRIDES + ZERO_WIDTH.replace("\u180e", "") + CONTROLS)
    assert not re.search(
        f"[{JOINERS}{SELECTORS}]{{3}}|[{JOINERS}]{{2}}|(?<![^\\x00-\\x7f])[{JOINERS}]", shown
    )


@given(HIDING)
def test_it_takes_out_and_changes_nothing_else(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    rest = iter(" " if char in "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029" else char for char in text)
    assert all(char in rest for char in shown)


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=50))
def test_letters_numbers_and_signs_stay(text: str) -> None:
    # These few letters are there to fill a place in which nothing is to be seen.
    ordinary = "".join(char for char in text if char not in "\u115f\u1160\u3164\uffa0")
    assert visible(text) == ordinary
