"""Characters that look like ASCII letters: Unicode's confusables, from the package confusable_homoglyphs.

https://www.unicode.org/reports/tr39/#Confusable_Detection
"""

import json
import unicodedata
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_MAX_LETTERS = 3  # letters that one character can look like


class LookAlikes(NamedTuple):
    """Tables for `str.translate`: of letters alone; of all characters, digits and symbols among them; and of
    letters that no longer look like themselves in their compatibility form."""

    letters: dict[int, str]
    all: dict[int, str]
    early: dict[int, str]


@cache
def look_alikes() -> LookAlikes:
    """Return the tables. The first call reads the package's file, which takes some 20 ms.

    The package's own module would keep all of Unicode's table in memory, ten times as much.
    """
    path = files("confusable_homoglyphs") / "confusables.json"
    table: dict[str, list[dict[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    every = {ord(char): letters for char, others in table.items() if (letters := _letters(char, others))}
    letters = {code: like for code, like in every.items() if code > 127 and chr(code).isalpha()}
    early = {code: like for code, like in letters.items() if _changes(chr(code), letters)}
    return LookAlikes(letters, every, early)


def _changes(char: str, letters: dict[int, str]) -> bool:
    return unicodedata.normalize("NFKC", char).translate(letters) != letters[ord(char)]


def _letters(char: str, others: list[dict[str, str]]) -> str | None:
    """Return the ASCII letters that the character looks like. ASCII letters keep their own meaning."""
    if len(char) != 1 or (char.isascii() and char.isalpha()):
        return "l" if char == "I" else None
    for other in others:
        bare = "".join(
            one for one in unicodedata.normalize("NFKD", other["c"]) if not unicodedata.combining(one)
        )
        if bare.isascii() and bare.isalpha() and len(bare) <= _MAX_LETTERS:
            return bare
    return None
