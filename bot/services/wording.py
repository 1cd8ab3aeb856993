"""Pieces of sentences that several modules use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.domain import Period
from bot.languages import Message, decimal, lazy, ngettext, nlazy
from bot.languages import gettext as _

TimestampStyle = Literal["t", "T", "d", "D", "f", "F", "R"]

NO_KEY = lazy("This server has no Studii key yet. An admin can set one with `/studii key`.")
UNKNOWN_JOB = lazy("That job is unknown here.")
_MEGABYTE = 1_000_000  # bytes, as in MAX_SOURCE_MB


@dataclass(frozen=True, slots=True)
class PeriodWords:
    """The words for a budget's period. `each` follows an amount, and `choice` is an option of a menu."""

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


def discord_timestamp(moment: datetime, style: TimestampStyle = "R") -> str:
    """Return a timestamp that Discord shows in each reader's zone and language, relative for "R".

    https://discord.com/developers/docs/reference#message-formatting
    """
    return f"<t:{int(moment.timestamp())}:{style}>"


def credit_words(amount: int) -> str:
    """Say a number of credits, as `1 credit` or `1,200 credits`."""
    return ngettext("{count} credit", "{count} credits", amount)


def credits_message(amount: int) -> Message:
    """Say a number of credits, like `credit_words`, to be worded when it is shown."""
    return nlazy("{count} credit", "{count} credits", amount)


def job_words(number: int) -> str:
    """Say a number of jobs, as `1 job` or `1,200 jobs`."""
    return ngettext("{count} job", "{count} jobs", number)


def count_words(number: int, one: str, many: str) -> str:
    """Return the number with its noun, in the singular for 1."""
    return f"{number:,} {one if number == 1 else many}"


def size_words(size: int) -> str:
    """Return a size in megabytes, rounded up so that a file that is too large never seems to fit."""
    return _("{size} MB", size=decimal(math.ceil(size * 10 / _MEGABYTE) / 10))
