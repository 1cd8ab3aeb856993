"""Stretches of days that people look back on, in the server's own time zone."""

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from bot.domain.periods import time_zone


class Span(StrEnum):
    """What one can look back on."""

    WEEK = "week"
    DAYS_30 = "days_30"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    DAYS_90 = "days_90"


def days_of(span: Span, timezone: str, now: datetime) -> list[date]:
    """The days of the span, the last of them not after today. Raises `Refused` for an unknown zone."""
    today = now.astimezone(time_zone(timezone)).date()
    first_of_month = today.replace(day=1)
    match span:
        case Span.WEEK:
            first, last = today - timedelta(days=6), today
        case Span.DAYS_30:
            first, last = today - timedelta(days=29), today
        case Span.DAYS_90:
            first, last = today - timedelta(days=89), today
        case Span.THIS_MONTH:
            first, last = first_of_month, today
        case Span.LAST_MONTH:
            last = first_of_month - timedelta(days=1)
            first = last.replace(day=1)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def edges_of(days: list[date], timezone: str) -> list[datetime]:
    """The moments at which the days begin, and the one at which the last ends."""
    zone = time_zone(timezone)
    starts = [*days, days[-1] + timedelta(days=1)]
    # Fold 0: of a midnight that comes twice the first, as for budgets.
    return [datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC) for day in starts]
