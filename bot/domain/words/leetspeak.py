"""Words written with digits and symbols in the place of letters: k1ll, p0rn, @ss.

Numbers, units and names such as 1980s, 4k, mp3 or h264 are left as they are.
"""

import re
from collections.abc import Callable

_SAME = {"0": "o", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i"}
# 1 stands for either; a text is read with each.
_READINGS = [str.maketrans({**_SAME, "1": letter}) for letter in "il"]
_TOKEN = re.compile(r"[a-z0-9@$!]+")
_DIGITS = frozenset(digit for digit in (*_SAME, "1") if digit.isdigit())
_UNITS = (
    "a|am|b|bit|c|cm|d|deg|dpi|f|fps|ft|g|gb|ghz|h|hp|hr|hrs|hz|in|k|kb|kg|khz|km|kw|l|"
    "lb|lbs|m|mb|mg|mhz|min|ml|mm|mp|ms|nd|oz|p|pm|pt|px|rd|s|sec|st|tb|th|v|w|x|yo|yrs"
)
# What follows a number is not a word: 1980s, 4k, 21st, 50mm, 3x4, 16x9.
_NUMBER = re.compile(rf"[0-9]+(?:{_UNITS})?|[0-9]+x[0-9]+")
# Neither is what a short name ends with: mp3, ps5, a4.
_SHORT_NAME = re.compile(r"[a-z]{1,2}[0-9]")
_NAME = re.compile(r"[a-z]+([0-9]+)")


def leetspeak(text: str) -> list[str]:
    """Return the text, whose case is folded, as it may be meant; none if there is nothing to read so."""
    if not any(_is_disguised(token) for token in _TOKEN.findall(text)):
        return []
    return [_TOKEN.sub(_reader(table), text) for table in _READINGS]


def _reader(table: dict[int, str]) -> Callable[[re.Match[str]], str]:
    def read(found: re.Match[str]) -> str:
        token = found[0]
        if not _is_disguised(token):
            return token
        word = token.rstrip("!")  # it ends a sentence
        return word.translate(table) + token[len(word) :]

    return read


def _is_disguised(token: str) -> bool:
    """Return whether letters of a word are replaced in it."""
    token = token.rstrip("!")
    if token.isalpha() or not any(one.isalpha() for one in token):
        return False
    if _NUMBER.fullmatch(token) or _SHORT_NAME.fullmatch(token):
        return False
    name = _NAME.fullmatch(token)
    return name is None or _DIGITS.issuperset(name[1])
