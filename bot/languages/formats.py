"""Numbers, dates and lists as the reader's language writes them, by Babel.

https://babel.pocoo.org/en/latest/api/index.html
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Literal

from babel import Locale, core, dates, lists, localedata, numbers

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
# Spanish separates from five digits on: 1200, 12.000. Babel doesn't know this rule of its own data.
# https://www.unicode.org/reports/tr35/tr35-numbers.html#Examples_of_minimumGroupingDigits
_SMALL_IN = {Language.SPANISH: 10_000}
# What some languages call the first day of a month. Babel writes it like the other days: "1 mars".
_FIRST = {Language.FRENCH: "1er", Language.PORTUGUESE: "1º"}
# What is read of Babel's data of a language. The rest, such as the names of currencies, takes a MiB.
_USED = frozenset({"datetime_skeletons", "decimal_formats", "list_patterns", "months", "number_symbols"})


@cache
def locale_of(language: Language) -> Locale:
    """Return Babel's data of the language."""
    locale = Locale.parse(language.value)
    # Brazil's Portuguese stands on Portuguese, and all stand on a root.
    for name in {language.value, locale.language, "root"}:
        data = localedata.load(name)  # the one that the locale reads
        for unused in data.keys() - _USED:
            del data[unused]
    # Babel keeps 2 MiB of tables to find the file of a language. It would read them again if it needed them.
    core._global_data = None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    return locale


def number(value: int) -> str:
    """Return the number with the separators of thousands: 1,200 or 1.200."""
    if abs(value) < _SMALL_IN.get(spoken(), _SMALL):
        return str(value)
    return numbers.format_decimal(value, locale=locale_of(spoken()))


def decimal(value: float) -> str:
    """Return the number with at most one decimal place, and none if that is 0."""
    return numbers.format_decimal(round(value, 1), locale=locale_of(spoken()), decimal_quantization=False)


def day_and_month(day: date) -> str:
    """Return the day without its year, the month in letters: `March 5`."""
    return _day("MMMMd", day)


def short_day(day: date) -> str:
    """Return the day without its year, the month shortened: `Mar 5`."""
    return _day("MMMd", day)


def _day(skeleton: str, day: date) -> str:
    written = dates.format_skeleton(skeleton, day, locale=locale_of(spoken()))
    first = _FIRST.get(spoken())
    return re.sub("^1(?= )", first, written) if first else written


def whole_number(typed: str) -> int | None:
    """Return the whole number that a person typed as their language writes it, or None if it isn't one.

    `1.200` is a number in German, and 1,200 everywhere; `1.5` is none. Full-width digits count as digits.
    """
    text = unicodedata.normalize("NFKC", typed).strip()
    group = unicodedata.normalize("NFKC", numbers.get_group_symbol(locale_of(spoken())))
    separators = re.escape(_GROUPS + group)
    if not re.fullmatch(rf"[0-9]+|[0-9]{{1,3}}(?:([{separators}])[0-9]{{3}})(?:\1[0-9]{{3}})*", text):
        return None
    return int(re.sub("[^0-9]", "", text))


def and_list(items: Sequence[str]) -> str:
    """Return the items as one list: `a, b, and c`."""
    return _listed(items, "standard", ("y", "e", _LIKE_Y))


def sentences(*pieces: object) -> str:
    """Return the sentences that are not empty, one after the other."""
    separator = "" if spoken() in _UNSPACED else " "
    return separator.join(said for said in map(str, pieces) if said)


def quotation_marks() -> tuple[str, str]:
    """Return the marks before and after what is quoted."""
    return _QUOTATION_MARKS[spoken()]


def or_list(items: Sequence[str]) -> str:
    """Return the items as alternatives: `a, b, or c`."""
    return _listed(items, "or", ("o", "u", _LIKE_O))


def _listed(
    items: Sequence[str], style: Literal["standard", "or"], spanish: tuple[str, str, re.Pattern[str]]
) -> str:
    """Return the items as one list. `spanish`: its word before the last, what it becomes, and before what."""
    if not items:
        return ""
    listed = lists.format_list(items, style=style, locale=locale_of(spoken()))
    word, changed, before = spanish
    last = items[-1]
    if spoken() is Language.SPANISH and len(items) > 1 and before.match(last.lstrip(_MARKS)):
        return f"{listed.removesuffix(f' {word} {last}')} {changed} {last}"
    return listed
