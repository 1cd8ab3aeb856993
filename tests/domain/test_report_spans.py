"""The days that people look back on."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from bot.domain.report_spans import Span, days_of, edges_of

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


def test_a_day_on_which_clocks_change_is_an_hour_shorter_and_none_is_lost() -> None:
    days = [date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    edges = edges_of(days, "Europe/Berlin")
    assert [later - earlier for earlier, later in pairwise(edges)] == [
        timedelta(hours=24),
        timedelta(hours=23),
        timedelta(hours=24),
    ]
