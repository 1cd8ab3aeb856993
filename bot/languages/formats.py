"""Numbers, dates and lists as the reader's language writes them, by Babel.

https://babel.pocoo.org/en/latest/api/index.html
"""

from collections.abc import Sequence
from datetime import date
from functools import cache

from babel import Locale, dates, lists, numbers

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
_SMALL = 1000  # numbers below are written alike in all our languages


@cache
def locale_of(language: Language) -> Locale:
    """Return Babel's data of the language."""
    return Locale.parse(language.value)


def number(value: int) -> str:
    """Return the number with the separators of thousands: 1,200 or 1.200."""
    if 0 <= value < _SMALL:
        return str(value)
    return numbers.format_decimal(value, locale=locale_of(spoken()))


def decimal(value: float) -> str:
    """Return the number with at most one decimal place, and none if that is 0."""
    return numbers.format_decimal(round(value, 1), locale=locale_of(spoken()), decimal_quantization=False)


def percent(share: float) -> str:
    """Return the share, such as 0.8, as whole percent."""
    return numbers.format_percent(share, locale=locale_of(spoken()))


def day_and_month(day: date) -> str:
    """Return the day without its year, the month in letters: `March 5`."""
    return dates.format_skeleton("MMMMd", day, locale=locale_of(spoken()))


def short_day(day: date) -> str:
    """Return the day without its year, the month shortened: `Mar 5`."""
    return dates.format_skeleton("MMMd", day, locale=locale_of(spoken()))


def and_list(items: Sequence[str]) -> str:
    """Return the items as one list: `a, b, and c`."""
    return lists.format_list(items, style="standard", locale=locale_of(spoken())) if items else ""


def sentences(*pieces: object) -> str:
    """Return the sentences that are not empty, one after the other."""
    separator = "" if spoken() in _UNSPACED else " "
    return separator.join(said for said in map(str, pieces) if said)


def quotation_marks() -> tuple[str, str]:
    """Return the marks before and after what is quoted."""
    return _QUOTATION_MARKS[spoken()]


def or_list(items: Sequence[str]) -> str:
    """Return the items as alternatives: `a, b, or c`."""
    return lists.format_list(items, style="or", locale=locale_of(spoken())) if items else ""
