"""Spans of days for reports, in the server's time zone."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.domain.periods import beginning, time_zone


class Span(StrEnum):
    """The spans that reports cover."""

    WEEK = "week"
    DAYS_30 = "days_30"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    DAYS_90 = "days_90"


def days_of(span: Span, timezone: str, now: datetime) -> list[date]:
    """Return the days of the span, up to today at most. Raises `Refused` for an unknown zone."""
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
    """Return the times at which the days start, and the time at which the last one ends."""
    zone = time_zone(timezone)
    starts = [*days, days[-1] + timedelta(days=1)]
    return [beginning(day, zone) for day in starts]
