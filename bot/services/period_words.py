"""The words for a budget's period, in every place where people read of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain import Period


@dataclass(frozen=True, slots=True)
class PeriodWords:
    """`each` follows an amount, and `choice` is an option of a menu. `renews` has a place for a timestamp."""

    each: str
    choice: str
    kind: str
    this: str
    left: str
    renews: str


PERIOD_WORDS: Mapping[Period, PeriodWords] = {
    Period.DAY: PeriodWords(
        each="a day",
        choice="a day",
        kind="daily",
        this="for today",
        left="{rest:,} of {whole} left today",
        renews="The daily budget renews {when}.",
    ),
    Period.WEEK: PeriodWords(
        each="a week",
        choice="a week",
        kind="weekly",
        this="for this week",
        left="{rest:,} of {whole} left this week",
        renews="The weekly budget renews {when}.",
    ),
    Period.MONTH: PeriodWords(
        each="a month",
        choice="a month",
        kind="monthly",
        this="for this month",
        left="{rest:,} of {whole} left this month",
        renews="The monthly budget renews {when}.",
    ),
    Period.TOTAL: PeriodWords(
        each="in total",
        choice="in total, not renewed",
        kind="one-off",
        this="for the one-off total",
        left="{rest:,} of {whole} left",
        renews="",
    ),
}
