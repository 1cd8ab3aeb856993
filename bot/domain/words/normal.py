"""Bring text into the form in which words are compared: letters and digits, separated by single spaces."""

import re
import unicodedata

from bot.domain.visible_text import without_invisible
from bot.domain.words.leetspeak import leetspeak
from bot.domain.words.lookalikes import look_alikes

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
_SPACES = re.compile("[ ]+")
_DIGITS_ALONE = re.compile(r"(?<![^\W_])\d+(?![^\W_])")
_REMEMBERED = 4096  # characters
_BETWEEN = ord(BETWEEN_VALUES)


class _WordCharacters(dict[int, int]):
    """A table for `str.translate` that replaces what belongs to no word by a space."""

    def __missing__(self, code: int) -> int:
        if len(self) >= _REMEMBERED:
            self.clear()
        belongs = code == _BETWEEN or unicodedata.category(chr(code))[0] in "LMN"
        kept = self[code] = code if belongs else 32
        return kept


_word_characters = _WordCharacters()


def normalized(text: str) -> str:
    """Return the text without case, look-alikes, invisible characters and marks."""
    plain = _without_marks(_composed(text).casefold())
    return _words(plain if plain.isascii() else plain.translate(look_alikes().letters))


def looks_like(text: str) -> list[str]:
    """Return the text as a reader may read it, by the shapes of its characters before case is ignored.

    A capital letter may look like another one than its small letter, and 1 like l. Numbers stay numbers. Next
    to letters that look like ASCII ones, an ASCII letter may also stand for itself.
    """
    alike = look_alikes()
    # Some letters look like others only before they are composed: a lunate sigma like c, a long s like f.
    plain = _without_marks(_composed(text if text.isascii() else text.translate(alike.early)))
    numbers = [found.span() for found in _DIGITS_ALONE.finditer(plain)]
    pieces: list[str] = []
    at = 0
    for start, end in numbers:
        pieces += (plain[at:start].translate(alike.all), plain[start:end])
        at = end
    pieces.append(plain[at:].translate(alike.all))
    shapes = ["".join(pieces)] if text.isascii() else ["".join(pieces), plain.translate(alike.letters)]
    return [_words(one.casefold().translate(alike.letters)) for one in shapes]


def disguised(text: str) -> list[str]:
    """Return the readings of a text in which digits and symbols may stand for letters; often none."""
    plain = _without_marks(_composed(text)).casefold()
    if not plain.isascii():
        plain = plain.translate(look_alikes().letters)
    return [_words(reading) for reading in leetspeak(plain)]


def _composed(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", without_invisible(text))


def _without_marks(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))


def _words(text: str) -> str:
    return _SPACES.sub(" ", text.translate(_word_characters)).strip(" ")
