"""The days that people look back on."""

from datetime import UTC, date, datetime

import pytest

from bot.credits.usage import Span, days_of

NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)  # in New York it is still 28 February


@pytest.mark.parametrize(
    ("span", "zone", "first", "last"),
    [
        (Span.WEEK, "UTC", date(2026, 2, 23), date(2026, 3, 1)),
        (Span.WEEK, "America/New_York", date(2026, 2, 22), date(2026, 2, 28)),
        (Span.DAYS_30, "UTC", date(2026, 1, 31), date(2026, 3, 1)),
        (Span.DAYS_90, "UTC", date(2025, 12, 2), date(2026, 3, 1)),
        (Span.THIS_MONTH, "UTC", date(2026, 3, 1), date(2026, 3, 1)),
        (Span.THIS_MONTH, "America/New_York", date(2026, 2, 1), date(2026, 2, 28)),
        (Span.LAST_MONTH, "UTC", date(2026, 2, 1), date(2026, 2, 28)),
        (Span.LAST_MONTH, "America/New_York", date(2026, 1, 1), date(2026, 1, 31)),
    ],
)
def test_days_are_those_of_the_servers_zone(span: Span, zone: str, first: date, last: date) -> None:
    days = days_of(span, zone, NOW)
    assert (days[0], days[-1]) == (first, last)
    assert len(days) == len(set(days)) == (last - first).days + 1
