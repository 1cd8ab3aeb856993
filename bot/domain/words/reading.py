"""Bring text into the forms in which words are compared: letters and digits, separated by single spaces."""

import json
import re
import unicodedata
from functools import cache, partial
from importlib.resources import files
from typing import NamedTuple

from bot.visible_text import without_invisible

# Separates the values of several inputs, so that no phrase is found across two of them; of private use.
BETWEEN_VALUES = "\ue000"

# Scripts that write words without spaces: Thai, Lao, Myanmar, Khmer, kana, ideographs.
WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Marks that follow a letter of the Latin, Greek or Cyrillic script. In other scripts marks make other words.
_MARKS = re.compile(
    "(?<=[A-Za-z\u00aa-\u024f\u0250-\u02af\u0370-\u03ff\u0400-\u052f\u1c80-\u1c8f\u1d00-\u1dbf\u1e00-\u1fff"
    "\u2c60-\u2c7f\ua640-\ua69f\ua720-\ua7ff\uab30-\uab6f])"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ua66f\ua674-\ua67d"
    "\ufe20-\ufe2f]+"
)
_NUMBERS = re.compile(r"((?<![^\W_])\d+(?![^\W_]))")
_REMEMBERED = 4096  # characters
_MAX_LETTERS = 3  # letters that one character can look like

_SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL (?:[A-Z]{2,} )?([A-Z])(?: WITH .*)?")
# White on black, in brackets, and letters of flags.
_PICTURED = re.compile(
    r"(?:(?:NEGATIVE (?:CIRCLED|SQUARED)|PARENTHESIZED) LATIN (?:CAPITAL|SMALL)|REGIONAL INDICATOR SYMBOL) "
    "LETTER ([A-Z])"
)

# Digits and symbols in the place of letters: k1ll, p0rn, @ss.
_SAME = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
# 1 stands for either; a text is read with each.
_DISGUISES = [str.maketrans({**_SAME, "1": letter}) for letter in "il"]
_TOKEN = re.compile(r"[a-z0-9@$!]*[a-z0-9@$]")  # exclamation marks at its end are what they are
_UNITS = (
    "a|am|b|bit|c|cm|d|deg|dpi|f|fps|ft|g|gb|ghz|h|hp|hr|hrs|hz|in|k|kb|kg|khz|km|kw|l|"
    "lb|lbs|m|mb|mg|mhz|min|ml|mm|mp|ms|nd|oz|p|pm|pt|px|rd|s|sec|st|tb|th|v|w|x|yo|yrs"
)
# Words and numbers, what follows a number (1980s, 4k, 21st, 50mm, 16x9), short names (mp3, ps5), and names
# that end in digits of which one stands for no letter (h264, covid19).
_AS_IT_IS = re.compile(
    rf"[a-z]+|[^a-z]+|[0-9]+(?:{_UNITS})|[0-9]+x[0-9]+|[a-z]{{1,2}}[0-9]|[a-z]+[0-9]*[269][0-9]*"
)


class LookAlikes(NamedTuple):
    """Tables for `str.translate`: of letters alone; of all characters, digits and symbols among them; and of
    characters that no longer look like themselves in their compatibility form."""

    letters: dict[int, str]
    all: dict[int, str]
    early: dict[int, str]


@cache
def look_alikes() -> LookAlikes:
    """Return the characters that look like ASCII letters: Unicode's confusables, from the package
    confusable_homoglyphs, and those whose names say so. The first call takes some 30 ms.

    https://www.unicode.org/reports/tr39/#Confusable_Detection

    The package's own module would keep all of Unicode's table in memory, ten times as much.
    """
    path = files("confusable_homoglyphs") / "confusables.json"
    table: dict[str, list[dict[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    small = _named(_SMALL_CAPITAL, 0x250, 0x2C7F)
    every = small | {ord(char): like for char, others in table.items() if (like := _letters(char, others))}
    letters = {code: like for code, like in every.items() if code > 127 and chr(code).isalpha()}
    early = {
        code: like
        for code, like in letters.items()
        if unicodedata.normalize("NFKC", chr(code)).translate(letters) != like
    }
    pictured = _named(_PICTURED, 0x249C, 0x24B6) | _named(_PICTURED, 0x1F110, 0x1F200)
    return LookAlikes(letters, every, early | pictured)


def _named(pattern: re.Pattern[str], start: int, end: int) -> dict[int, str]:
    """Return the letters that characters are called by."""
    names = ((code, pattern.fullmatch(unicodedata.name(chr(code), ""))) for code in range(start, end))
    return {code: found[1].lower() for code, found in names if found}


def _letters(char: str, others: list[dict[str, str]]) -> str | None:
    """Return the ASCII letters that the character looks like. ASCII letters keep their own meaning."""
    if len(char) != 1 or (char.isascii() and char.isalpha()):
        return "l" if char == "I" else None
    for other in others:
        decomposed = unicodedata.normalize("NFKD", other["c"])
        bare = "".join(one for one in decomposed if not unicodedata.combining(one))
        if bare.isascii() and bare.isalpha() and len(bare) <= _MAX_LETTERS:
            return bare
    return None


def normalized(text: str) -> str:
    """Return the text without case, look-alikes, invisible characters and marks."""
    return _words(_plain(text))


def readings(text: str) -> set[str]:
    """Return the text as a reader may read it: plain, and by the shapes of its characters, with digits and
    symbols that may stand for letters.

    A capital letter may look like another one than its small letter, and 1 like l. Numbers stay numbers. Next
    to letters that look like ASCII ones, an ASCII letter may also stand for itself.
    """
    alike = look_alikes()
    # Some letters look like others only before they are composed: a lunate sigma like c, a long s like f.
    shape = _bare(text.translate(alike.early))
    pieces = enumerate(_NUMBERS.split(shape))
    shapes = ["".join(piece if number % 2 else piece.translate(alike.all) for number, piece in pieces)]
    if not text.isascii():
        shapes.append(shape)
    # A small letter may look like none where its capital does, as in Cyrillic.
    small = [one.translate(alike.letters).upper().translate(alike.letters).casefold() for one in shapes]
    return {_words(one) for read in (_plain(text), *small) for one in (read, *undisguised(read))}


def undisguised(text: str) -> list[str]:
    """Return the text, whose case is folded, with letters for digits and symbols; none if it has no such
    words.

    Numbers, units and names such as 1980s, 4k, mp3 or h264 are left as they are.
    """
    if all(_AS_IT_IS.fullmatch(token) for token in _TOKEN.findall(text)):
        return []
    return [_TOKEN.sub(partial(_meant, table), text) for table in _DISGUISES]


def _meant(table: dict[int, str], found: re.Match[str]) -> str:
    return found[0] if _AS_IT_IS.fullmatch(found[0]) else found[0].translate(table)


class _WordCharacters(dict[int, int]):
    """A table for `str.translate` that replaces what belongs to no word by a space."""

    def __missing__(self, code: int) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        belongs = chr(code) == BETWEEN_VALUES or unicodedata.category(chr(code))[0] in "LMN"
        kept = self[code] = code if belongs else 32
        return kept


_word_characters = _WordCharacters()


def _words(text: str) -> str:
    return " ".join(text.translate(_word_characters).split())


def _plain(text: str) -> str:
    folded = _bare(text).casefold()
    return folded if folded.isascii() else folded.translate(look_alikes().letters)


def _bare(text: str) -> str:
    """Return the text without invisible characters and marks, in its compatibility form."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", without_invisible(text))
    return unicodedata.normalize("NFC", _MARKS.sub("", decomposed))
