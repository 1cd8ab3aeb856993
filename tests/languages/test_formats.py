"""What the bot writes from its own part of CLDR is what Babel writes from all of it."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from babel import Locale, dates, lists, numbers
from hypothesis import given, strategies

from bot.languages import Language, and_list, day_and_month, decimal, number, or_list, short_day, speaking

LEAP_YEAR = [date(2028, 1, 1) + timedelta(days=day) for day in range(366)]
every_language = pytest.mark.parametrize("language", Language)


def locale_of(language: Language) -> Locale:
    return Locale.parse(language.value)


@every_language
@given(strategies.integers(-(10**15), 10**15))
def test_whole_numbers(language: Language, value: int) -> None:
    with speaking(language):
        if language is Language.SPANISH and abs(value) < 10_000:  # a rule that Babel leaves out
            assert number(value) == str(value)
        else:
            assert number(value) == numbers.format_decimal(value, locale=locale_of(language))


@every_language
@given(strategies.floats(-(10**9), 10**9))
def test_numbers_with_a_decimal_place(language: Language, value: float) -> None:
    expected = numbers.format_decimal(round(value, 1), locale=locale_of(language), decimal_quantization=False)
    with speaking(language):
        assert decimal(value) == expected


@every_language
@pytest.mark.parametrize(("write", "skeleton"), [(day_and_month, "MMMMd"), (short_day, "MMMd")])
def test_days(language: Language, write: Callable[[date], str], skeleton: str) -> None:
    with speaking(language):
        for day in LEAP_YEAR:
            # Babel writes no ordinals.
            written = write(day).replace("1er ", "1 ").replace("1º ", "1 ")
            assert written == dates.format_skeleton(skeleton, day, locale=locale_of(language))


@every_language
@pytest.mark.parametrize("count", range(5))
def test_lists(language: Language, count: int) -> None:
    items = ["a", "b", "c", "d"][:count]
    with speaking(language):
        assert and_list(items) == lists.format_list(items, locale=locale_of(language))
        assert or_list(items) == lists.format_list(items, "or", locale=locale_of(language))
