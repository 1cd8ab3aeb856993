"""Pieces of sentences that several modules use."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from bot.config import MEGABYTE
from bot.domain.guilds import Period
from bot.languages import N_, Message, lazy, ngettext, nlazy, plazy

NO_KEY = lazy("This server has no Studii key yet. An admin can set one with `/studii setup`.")


# The options of a menu for how often a budget renews.
PERIOD_CHOICES: Mapping[Period, str] = {
    Period.DAY: N_("a day"),
    Period.WEEK: N_("a week"),
    Period.MONTH: N_("a month"),
    Period.TOTAL: N_("in total, not renewed"),
}
# The period of a grant, as it follows `granted`.
GRANTED_FOR: Mapping[Period, Message] = {
    Period.DAY: plazy("after “granted”", "for today"),
    Period.WEEK: plazy("after “granted”", "for this week"),
    Period.MONTH: plazy("after “granted”", "for this month"),
    Period.TOTAL: plazy("after “granted”", "for the one-off total"),
}


def discord_timestamp(moment: datetime, style: Literal["t", "T", "d", "D", "f", "F", "R"] = "R") -> str:
    """Return a timestamp that Discord shows in each reader's zone and language, relative for "R".

    https://discord.com/developers/docs/reference#message-formatting
    """
    return f"<t:{int(moment.timestamp())}:{style}>"


def pause_words(until: datetime) -> Message:
    """Say until when a member is paused, and why."""
    return lazy(
        "You can't start jobs here until {when}, because the word filter refused many of your "
        "requests. An admin can end this with `/studii moderation`.",
        when=discord_timestamp(until, "f"),
    )


def credit_words(amount: int) -> str:
    """Say a number of credits, as `1 credit` or `1,200 credits`."""
    return ngettext("{count} credit", "{count} credits", amount)


def credits_message(amount: int) -> Message:
    """Say a number of credits, like `credit_words`, to be worded when it is shown."""
    return nlazy("{count} credit", "{count} credits", amount)


def job_words(number: int) -> str:
    """Say a number of jobs, as `1 job` or `1,200 jobs`."""
    return ngettext("{count} job", "{count} jobs", number)


_EACH: Mapping[Period, Callable[[int], str]] = {
    Period.DAY: lambda n: ngettext("{count} credit a day", "{count} credits a day", n),
    Period.WEEK: lambda n: ngettext("{count} credit a week", "{count} credits a week", n),
    Period.MONTH: lambda n: ngettext("{count} credit a month", "{count} credits a month", n),
    Period.TOTAL: lambda n: ngettext("{count} credit in total", "{count} credits in total", n),
}
_REST: Mapping[Period, Callable[[int], Message]] = {
    Period.DAY: lambda n: nlazy(
        "{rest} of {count} credit left today", "{rest} of {count} credits left today", n
    ),
    Period.WEEK: lambda n: nlazy(
        "{rest} of {count} credit left this week", "{rest} of {count} credits left this week", n
    ),
    Period.MONTH: lambda n: nlazy(
        "{rest} of {count} credit left this month", "{rest} of {count} credits left this month", n
    ),
    Period.TOTAL: lambda n: nlazy("{rest} of {count} credit left", "{rest} of {count} credits left", n),
}


def each_period_words(amount: int, period: Period) -> str:
    """Say the credits of each period, as `100 credits a day` or `500 credits in total`."""
    return _EACH[period](amount)


def rest_message(rest: int, whole: int, period: Period) -> Message:
    """Say what is left, as `3 of 100 credits left today`. At least 0, also if more than that was used."""
    return _REST[period](whole).using(rest=max(0, rest))


# No job of the price is possible with the budget, or with the allowance.
BUDGET_BELOW_PRICE: Mapping[Period, Message] = {
    Period.DAY: lazy("The daily budget of {limit} is below the price."),
    Period.WEEK: lazy("The weekly budget of {limit} is below the price."),
    Period.MONTH: lazy("The monthly budget of {limit} is below the price."),
    Period.TOTAL: lazy("The one-off budget of {limit} is below the price."),
}
ALLOWANCE_BELOW_PRICE: Mapping[Period, Message] = {
    Period.DAY: lazy("The daily allowance of {limit} is below the price."),
    Period.WEEK: lazy("The weekly allowance of {limit} is below the price."),
    Period.MONTH: lazy("The monthly allowance of {limit} is below the price."),
    Period.TOTAL: lazy("The one-off allowance of {limit} is below the price."),
}


def renewal_message(end: datetime | None) -> Message:
    """Return that the budget renews at `end`, as Discord counts it for each reader, or that it never does."""
    if end is None:
        return lazy("The budget is a one-off total and doesn't renew.")
    # Translators: {when} is shown as "in 3 hours".
    return lazy("The budget renews {when}.", when=discord_timestamp(end))


def count_words(number: int, one: str, many: str) -> str:
    """Return the number with its noun in English, for operators. Members are told with `ngettext`."""
    return f"{number:,} {one if number == 1 else many}"


def size_words(size: int) -> Message:
    """Return a size in megabytes, rounded up so that a file that is too large never seems to fit."""
    return lazy("{size} MB", size=math.ceil(size * 10 / MEGABYTE) / 10)
