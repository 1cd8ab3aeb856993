"""Numbers, dates and lists as the reader's language writes them."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from bot.languages.conventions import CONVENTIONS
from bot.languages.language import Language, spoken

_UNSPACED = frozenset({Language.JAPANESE})  # no space between sentences
_QUOTATION_MARKS = {
    Language.ENGLISH: ("“", "”"),
    Language.GERMAN: ("„", "“"),
    Language.FRENCH: ("«\u00a0", "\u00a0»"),
    Language.SPANISH: ("«", "»"),
    Language.PORTUGUESE: ("“", "”"),
    Language.JAPANESE: ("「", "」"),
}
# Spanish "y" and "o" before a word that begins with the same sound: "uno e imagen", "siete u ocho".
_LIKE_Y = re.compile(r"(?:h?í|h?i(?![aeo]))", re.IGNORECASE)
_LIKE_O = re.compile(r"h?[oó]|8|11(?!\d)", re.IGNORECASE)
_MARKS = "*_`~|«“‘\"'(¡¿"  # before a word, not spoken
# Between groups of three digits in any language; what else separates them is the language's own.
_GROUPS = ",' ’"
_SMALL = 1000  # numbers below have no separator
# Spanish separates from five digits on: 1200, 12.000.
# https://www.unicode.org/reports/tr35/tr35-numbers.html#Examples_of_minimumGroupingDigits
_SMALL_IN = {Language.SPANISH: 10_000}
# What some languages call the first day of a month.
_FIRST = {Language.FRENCH: "1er", Language.PORTUGUESE: "1º"}


def number(value: int) -> str:
    """Return the number with the separators of thousands: 1,200 or 1.200."""
    if abs(value) < _SMALL_IN.get(spoken(), _SMALL):
        return str(value)
    return _separated(f"{value:,}")


def decimal(value: float) -> str:
    """Return the number with at most one decimal place, and none if that is 0."""
    return _separated(f"{value:,.1f}".removesuffix(".0"))


def _separated(english: str) -> str:
    """Return the number with the separators of the language that is spoken."""
    its = CONVENTIONS[spoken()]
    return english.translate({ord(","): its.group, ord("."): its.point})


def day_and_month(day: date) -> str:
    """Return the day without its year, the month in letters: `March 5`."""
    its = CONVENTIONS[spoken()]
    return _day(its.day, its.months[day.month - 1], day.day)


def short_day(day: date) -> str:
    """Return the day without its year, the month shortened: `Mar 5`."""
    its = CONVENTIONS[spoken()]
    return _day(its.short_day, its.short_months[day.month - 1], day.day)


def _day(form: str, month: str, day: int) -> str:
    first = _FIRST.get(spoken()) if day == 1 else None
    return form.format(month=month, day=first or day)


def whole_number(typed: str) -> int | None:
    """Return the whole number that a person typed as their language writes it, or None if it isn't one.

    `1.200` is a number in German, and 1,200 everywhere; `1.5` is none. Full-width digits count as digits.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    group = unicodedata.normalize("NFKC", CONVENTIONS[spoken()].group)
    separators = re.escape(_GROUPS + group)
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:([{separators}])[0-9]{{3}})(?:\1[0-9]{{3}})*", text):
        return None
    return int(re.sub("[^0-9]", "", text))


def and_list(items: Sequence[str]) -> str:
    """Return the items as one list: `a, b, and c`."""
    its = CONVENTIONS[spoken()]
    return _listed(items, its.and_of_two, its.and_of_more, (" e ", _LIKE_Y))


def sentences(*pieces: object) -> str:
    """Return the sentences that are not empty, one after the other."""
    separator = "" if spoken() in _UNSPACED else " "
    return separator.join(said for said in map(str, pieces) if said)


def quotation_marks() -> tuple[str, str]:
    """Return the marks before and after what is quoted."""
    return _QUOTATION_MARKS[spoken()]


def or_list(items: Sequence[str]) -> str:
    """Return the items as alternatives: `a, b, or c`."""
    its = CONVENTIONS[spoken()]
    return _listed(items, its.or_of_two, its.or_of_more, (" u ", _LIKE_O))


def _listed(items: Sequence[str], of_two: str, of_more: str, spanish: tuple[str, re.Pattern[str]]) -> str:
    """Return the items as one list. `spanish`: what its word before the last becomes, and before what."""
    if len(items) < 2:
        return "".join(items)
    word = of_two if len(items) == 2 else of_more
    changed, before = spanish
    if spoken() is Language.SPANISH and before.match(items[-1].lstrip(_MARKS)):
        word = changed
    return CONVENTIONS[spoken()].separator.join(items[:-1]) + word + items[-1]
