"""Compare rules of the word filter with what people ask for. Pure.

A text is read twice, as words of letters and digits with single spaces between them: plainly, and by the
shapes of its characters. A rule's key is a few literal pieces with wildcards between them. A search for its
longest piece in the text, with each run of a letter as one, comes first; the rule's pattern is made and tried
only if it is there. The work is bounded: no pattern goes back over what it has read twice.
"""

import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain, groupby
from typing import NamedTuple

from bot.visible_text import without_invisible

WILDCARD = "*"
_SHORT = 2  # letters that, with a wildcard, begin or end very many words
_KEPT = 5_000  # rules whose patterns are kept ready

# Separates the values of several inputs, so that no phrase is found across two of them; of private use.
BETWEEN_VALUES = "\ue000"

# Scripts that write words without spaces: Thai, Lao, Myanmar, Khmer, kana, ideographs.
WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
# Marks that follow a digit, or a Latin, Greek or Cyrillic letter. In other scripts marks make other words.
_MARKS = re.compile(
    "(?<=[0-9A-Za-z\u00aa-\u024f\u0250-\u02af\u0370-\u03ff\u0400-\u052f\u1c80-\u1c8f\u1d00-\u1dbf\u1e00-\u1fff"
    "\u2c60-\u2c7f\ua640-\ua69f\ua720-\ua7ff\uab30-\uab6f])"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u2de0-\u2dff\ua66f\ua674-\ua67d"
    "\ufe20-\ufe2f]+"
)
_REMEMBERED = 4096  # characters
_MAX_LETTERS = 3  # letters that one character can look like

_SMALL_CAPITAL = re.compile(r"LATIN LETTER SMALL CAPITAL (?:[A-Z]{2,} )?([A-Z])(?: WITH .*)?")
# White on black, in brackets, and letters of flags.
_PICTURED = re.compile(
    r"(?:(?:NEGATIVE (?:CIRCLED|SQUARED)|PARENTHESIZED) LATIN (?:CAPITAL|SMALL)|REGIONAL INDICATOR SYMBOL) "
    "LETTER ([A-Z])"
)

# In a reading: what looks like i and l alike, such as a capital i or 1. A rule's i and its l both take it.
_EITHER = "\u01c0"
_DIGITS = str.maketrans("0345781", f"oeastb{_EITHER}")  # in the place of letters: k1ll, p0rn
_CAPITALS = re.compile(r"(?<![^\W_])[A-Z]+(?![^\W_])")
_NO_WORD = re.compile(rf"[^a-z{_EITHER}]*[0-9][^a-z{_EITHER}]*|(.)\1*")  # $100, 16|9, $$$
_UNITS = (
    "a|am|b|bit|c|cm|d|deg|dpi|f|fps|ft|g|gb|ghz|h|hp|hr|hrs|hz|in|k|kb|kg|khz|km|kw|l|"
    "lb|lbs|m|mb|mg|mhz|min|ml|mm|mp|ms|nd|oz|p|pm|pt|px|rd|s|sec|st|tb|th|v|w|x|yo|yrs"
)
# Words and numbers, what follows a number (1980s, 4k, 21st, 50mm, 16x9), short names (mp3, ps5), and names
# that end in digits of which one stands for no letter (h264, covid19).
_AS_IT_IS = re.compile(
    rf"[a-z]+|[0-9]+|[0-9]+(?:{_UNITS})|[0-9]+x[0-9]+|[a-z][0-9]|[a-z]{{2}}[2-9]|[a-z]+[0-9]*[269][0-9]*"
)

_IN_WORD = f"[^ {BETWEEN_VALUES}{WITHOUT_SPACES}]"
_ANYWHERE = re.compile(f"[{WITHOUT_SPACES}]")
_RUNS = re.compile(r"(.)\1+", re.DOTALL)

# The most frequent words of texts in English, German, French, Spanish and Portuguese, as rules are compared:
# a rule for one of them would refuse nearly every prompt. Japanese has no spaces between words. Words that
# admins may well ban in English, such as "die" and "sin", are left out.
_COMMON = (  # Untranslated: words of all languages
    "a about after all also an and any are as at back be because but by can come could day do even "
    "first for from get give go good have he her him his how i if in into is it its just know like look "
    "make me most my new no not now of on one only or other our out over people say see she so some "
    "take than that the their them then there these they think this time to two up us use want was way "
    "we well what when which who will with work would year you your photo picture image video room "
    "style light white black red blue green background "
    "aber auch auf aus bei bild dem der des das ein eine einem einen einer foto fur hintergrund ich im "
    "ist licht mein meine mit nach nicht raum sehr sich stil uber und unter von vor wie zu zum zur "
    "au aux avec ce cette dans de du elle en est et fond il la le les lumiere ma mes mon ou par pas "
    "piece plus pour que qui sa ses sur un une "
    "al como con del el es estilo fondo imagen las lo los luz mas mi muy o para por se su una uno unos "
    "unas y "
    "ao com da dos e em fundo imagem meu minha mais muito na nao nas nos os quarto sala seu sua um uma"
)


class LookAlikes(NamedTuple):
    """Tables for `str.translate` to what characters look like: letters, for the plain reading; letters and
    digits, for that by shapes; of these, what no longer looks like itself in its compatibility form; and
    signs, which may stand for letters or between words."""

    letters: dict[int, str]
    shapes: dict[int, str]
    early: dict[int, str]
    signs: dict[int, str]


@cache
def look_alikes() -> LookAlikes:
    """Return the characters that look like ASCII letters: Unicode's confusables, from the package
    confusable_homoglyphs, and those whose names say so. The first call takes some 30 ms.

    https://www.unicode.org/reports/tr39/#Confusable_Detection

    The package's own module would keep all of Unicode's table in memory, ten times as much.
    """
    path = files("confusable_homoglyphs") / "confusables.json"
    table: dict[str, list[dict[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    latin = chain(range(0x250, 0x2B0), range(0x1D00, 0x1D30), range(0x2C60, 0x2C80), range(0xA720, 0xA800))
    small = _named(_SMALL_CAPITAL, latin)
    every = small | {ord(char): like for char, others in table.items() if (like := _letters(char, others))}
    letters = {code: like for code, like in every.items() if code > 127 and chr(code).isalpha()}
    shapes = {code: _shape(chr(code), like) for code, like in every.items()}
    # Some letters look like others in one case only: a small Cyrillic en like none, its capital like H.
    cases = ((case, code) for code in letters for case in (chr(code).lower(), chr(code).upper()))
    shapes = {
        ord(case): shapes[code] for case, code in cases if len(case) == 1 and not case.isascii()
    } | shapes
    # Others do only before they are composed: a lunate sigma like c, a long s like f.
    early = {
        code: shapes[code]
        for code, like in letters.items()
        if len(like) == 1 and unicodedata.normalize("NFKC", chr(code)).translate(letters) != like
    }
    pictured = _named(_PICTURED, chain(range(0x249C, 0x24B6), range(0x1F110, 0x1F200)))
    signs = {code: shapes[code] for code in shapes if unicodedata.category(chr(code))[0] in "SP"}
    signs |= str.maketrans({"@": "a", "$": "s", "!": _EITHER})
    return LookAlikes(
        letters, {code: shapes[code] for code in shapes.keys() - signs}, early | pictured, signs
    )


def _shape(char: str, like: str) -> str:
    """Return what stands for the character in the reading by shapes."""
    if char.isdecimal():  # as a number it stays one
        return {"O": "0", "o": "0", "l": "1"}.get(like, like)
    return like.casefold() if char.islower() else like.replace("l", _EITHER).casefold()


def _named(pattern: re.Pattern[str], codes: Iterable[int]) -> dict[int, str]:
    """Return the letters that characters are called by."""
    names = ((code, pattern.fullmatch(unicodedata.name(chr(code), ""))) for code in codes)
    return {code: found[1].lower() for code, found in names if found}


def _letters(char: str, others: list[dict[str, str]]) -> str | None:
    """Return the ASCII letters that the character looks like. ASCII letters keep their own meaning."""
    if len(char) != 1 or (char.isascii() and char.isalpha()):
        return "l" if char == "I" else None  # a small L
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
    signs that may stand for letters.

    Numbers, units and names such as 1980s, 4k, mp3 or h264 are left as they are. What looks like i and like l
    stays apart from both: were all three the same, a rule for "fall" would refuse "fail". Among capitals,
    I isn't read as l: a rule for "ill" would refuse "Richard III".
    """
    alike = look_alikes()
    early = _CAPITALS.sub(lambda found: found[0].lower(), text).translate(alike.early)
    shapes = _bare(early.replace("||", " ")).translate(alike.shapes).casefold()  # Discord hides what is in ||
    return {normalized(text), _words(_tokens().sub(_meant, shapes))}


@cache
def _tokens() -> re.Pattern[str]:
    signs = re.escape("".join(map(chr, look_alikes().signs)))
    return re.compile(f"[a-z0-9{_EITHER}{signs}]+")


def _meant(found: re.Match[str]) -> str:
    """Return a word with letters for digits; if it has signs, with spaces for these, and with letters."""
    token, signs = found[0].rstrip("!"), look_alikes().signs
    apart = token.translate(dict.fromkeys(signs, " "))
    words = re.sub(r"\S+", _undisguised, apart)
    if apart == found[0]:
        return words
    whole = "" if apart == token or _NO_WORD.fullmatch(token) else token.translate(signs).translate(_DIGITS)
    return f"{words} {whole} "


def _undisguised(found: re.Match[str]) -> str:
    word = found[0]
    return word if _AS_IT_IS.fullmatch(word.replace(_EITHER, "l")) else word.translate(_DIGITS)


@lru_cache(maxsize=_REMEMBERED)
def _in_words(char: str) -> str:
    """Return the character, or a space if it belongs to no word."""
    return char if char == BETWEEN_VALUES or unicodedata.category(char)[0] in "LMN" else " "


def _words(text: str) -> str:
    return " ".join("".join(map(_in_words, text)).split())


def _plain(text: str) -> str:
    folded = _bare(text).casefold()
    return folded if folded.isascii() else folded.translate(look_alikes().letters)


def _bare(text: str) -> str:
    """Return the text without invisible characters and marks, in its compatibility form."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", without_invisible(text))
    return unicodedata.normalize("NFC", _MARKS.sub("", decomposed))


def key_of(words: str) -> str:
    """Return a word or a phrase with wildcards as it is compared; empty if no text could meet it."""
    # Each piece alone, as a wildcard is no part of a word.
    key = WILDCARD.join(_piece(piece) for piece in re.split(r"\*+", words)).strip()
    return key if key.replace(WILDCARD, "").strip() else ""


def _piece(piece: str) -> str:
    """Normalize a piece, with a space at an end where it ends a word."""
    bare = normalized(piece)
    if not bare:
        return " " if piece else ""
    before = " " if piece[0].isspace() else ""
    after = " " if piece[-1].isspace() else ""
    return f"{before}{bare}{after}"


def catches_much(key: str) -> bool:
    """Return whether the rule would catch very much: one letter, or a word that nearly every text has."""
    bare = key.replace(WILDCARD, "").strip()
    if key in _COMMON.split():
        return True
    letters = len(bare.replace(" ", ""))
    if bare and not bare.isascii() and letters == 1 and WILDCARD not in key:
        return bare.isalpha() and bare.lower() != bare.upper()  # an ideograph is a word
    return letters <= (_SHORT if WILDCARD in key else 1)


def first_met(keys: Iterable[str], values: Collection[str]) -> str | None:
    """Return the first of the keys that one of the values meets, or None."""
    if not values:
        return None
    joined = BETWEEN_VALUES.join(value.replace(BETWEEN_VALUES, " ") for value in values)
    forms = [(form, _short(form)) for form in readings(joined)]
    for key in keys:
        needle = _needle(key)
        if any(needle in short and _pattern(key).search(form) for form, short in forms):
            return key
    return None


@lru_cache(maxsize=_KEPT)
def _needle(key: str) -> str:
    """Return the longest piece of a rule."""
    return max((_short(piece.strip()) for piece in key.split(WILDCARD)), key=len)


def _short(text: str) -> str:
    """Return the text with each run of a letter as one, and i and l as the same."""
    return _RUNS.sub(r"\1", text.replace("i", "l").replace(_EITHER, "l"))


@lru_cache(maxsize=_KEPT)
def _pattern(key: str) -> re.Pattern[str]:
    """Return the pattern of a rule's normalized text.

    A wildcard takes as few characters of its word as the next piece allows, and keeps them (an atomic group):
    the first place where the next piece fits is as good as any later one. Before the last piece it takes all
    and gives back one by one, since that piece must end the word.
    """
    pieces = key.split(WILDCARD)
    made = [_edge(pieces[0][:1], "?<!")]
    for number, piece in enumerate(pieces):
        after, before = number < len(pieces) - 1, number > 0
        literal = _literal(piece, open_before=before, open_after=after)
        if not before:
            made.append(literal)
        elif after:
            made.append(f"(?>{_IN_WORD}*?{literal})")
        else:
            made.append(f"{_IN_WORD}*{literal}" if piece else f"{_IN_WORD}*+")
    return re.compile("".join([*made, _edge(pieces[-1][-1:], "?!")]))


def _edge(char: str, look: str) -> str:
    """Return the expression for an end of a word, where the script separates words."""
    return "" if _ANYWHERE.match(char) else f"({look}{_IN_WORD})"


def _literal(piece: str, *, open_before: bool, open_after: bool) -> str:
    runs = [(char, len(list(same))) for char, same in groupby(piece)]
    last = len(runs) - 1
    # Beside a wildcard, the rest of a run belongs to that.
    return "".join(
        _run(
            char,
            count,
            is_open=(open_before and number == 0) or (open_after and number == last),
            before=runs[number + 1][0] if number < last else "",
        )
        for number, (char, count) in enumerate(runs)
    )


def _run(char: str, count: int, *, is_open: bool, before: str) -> str:
    """Return the expression for a run: as long as in the rule, or drawn out to three letters or more.

    `before` is the character of the rule after it.
    """
    itself = re.escape(char)
    one = f"[{char}{_EITHER}]" if char in "il" else itself
    if not char.isalpha() or is_open:
        return one * count
    if {char, before} == {
        "i",
        "l",
    }:  # what could be either belongs to the next run, but for what this one needs
        return f"(?:{one}{{{count}}}(?!{itself})|{one}{{3}}{itself}*+)"
    return f"{one}{{3,}}+" if count >= 3 else f"(?>{one}{{3,}}+|{one}{{{count}}}(?!{one}))"
