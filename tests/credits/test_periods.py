from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from bot.credits.budgets import budget_period, time_zone
from bot.credits.ledger import Window
from bot.credits.usage import Span, days_of
from bot.errors import Refused
from bot.jobs.accept import size_words
from bot.servers.settings import GuildSettings, Period

# Among them: half hours, no daylight saving, clocks that change at midnight, and a day that never was.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "America/Santiago",
    "Africa/Cairo",
    "America/Havana",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]


def utc(*when: int) -> datetime:
    return datetime(*when, tzinfo=UTC)  # pyright: ignore[reportArgumentType]


SINCE = utc(2026, 4, 1, 9, 30)
DAY, WEEK, MONTH, TOTAL = (GuildSettings(1, budget_period=one, budget_since=SINCE) for one in Period)


def day(zone: str, now: datetime) -> Window:
    return budget_period(GuildSettings(1, timezone=zone), now)[0]


def test_a_day_whose_midnight_is_skipped_begins_when_the_clocks_jump() -> None:
    # Santiago, 7 September 2025: after 23:59:59 comes 01:00.
    jump = utc(2025, 9, 7, 4)
    assert jump.astimezone(ZoneInfo("America/Santiago")).hour == 1
    assert day("America/Santiago", jump).start == jump
    assert day("America/Santiago", jump - timedelta(microseconds=1)).end == jump


def test_a_day_whose_midnight_comes_twice_begins_at_the_first() -> None:
    # Havana, 2 November 2025: at 01:00 the clocks go back to 00:00.
    first = utc(2025, 11, 2, 4)
    whole = Window(first, first + timedelta(hours=25))
    assert day("America/Havana", first) == day("America/Havana", first + timedelta(minutes=90)) == whole


def test_clocks_that_go_back_over_midnight_do_not_give_the_day_before_again() -> None:
    # St. John's, 7 November 2010: a minute after midnight the clocks went back to 23:01 of the day before.
    again_yesterday = utc(2010, 11, 7, 3)
    assert again_yesterday.astimezone(ZoneInfo("America/St_Johns")).day == 6
    assert day("America/St_Johns", again_yesterday).start == utc(2010, 11, 7, 2, 30)


@pytest.mark.parametrize(
    ("server", "zone", "now", "start", "end"),
    [
        (DAY, "Asia/Kolkata", utc(2026, 5, 4, 18, 30), utc(2026, 5, 4, 18, 30), utc(2026, 5, 5, 18, 30)),
        (WEEK, "Europe/Berlin", utc(2026, 3, 29, 21, 59), utc(2026, 3, 22, 23), utc(2026, 3, 29, 22)),
        (WEEK, "Europe/Berlin", utc(2026, 3, 29, 22), utc(2026, 3, 29, 22), utc(2026, 4, 5, 22)),
        (MONTH, "America/New_York", utc(2025, 12, 31, 23), utc(2025, 12, 1, 5), utc(2026, 1, 1, 5)),
        (MONTH, "America/New_York", utc(2026, 1, 1, 5), utc(2026, 1, 1, 5), utc(2026, 2, 1, 5)),
        (MONTH, "UTC", utc(2028, 2, 29, 12), utc(2028, 2, 1), utc(2028, 3, 1)),
        (TOTAL, "Europe/Berlin", utc(2031, 1, 1), SINCE, None),
    ],
)
def test_periods_begin_and_end_where_the_server_is(
    server: GuildSettings, zone: str, now: datetime, start: datetime, end: datetime | None
) -> None:
    server.timezone = zone
    assert budget_period(server, now)[0] == Window(start, end)


@given(
    zone=st.sampled_from(ZONES),
    period=st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]),
    now=st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_every_moment_is_in_one_window_and_windows_touch(zone: str, period: Period, now: datetime) -> None:
    server = GuildSettings(1, budget_period=period, timezone=zone)
    here, _ = budget_period(server, now)
    assert here.start is not None
    assert here.end is not None
    assert here.start <= now < here.end
    assert budget_period(server, here.start)[0] == here
    assert budget_period(server, here.end - timedelta(microseconds=1))[0] == here
    assert budget_period(server, here.end)[0].start == here.end


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "x" * 5000])
def test_a_time_zone_that_does_not_exist_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(Refused, match="Write it like Europe/Berlin"):
        time_zone(name)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Berlin", "Europe/Berlin"),
        ("Europe/Berln", "Europe/Berlin"),
        ("berlin\0", "Europe/Berlin"),
        ("los angeles", "America/Los_Angeles"),
        ("Asia/Toyko", "Asia/Tokyo"),
    ],
)
def test_whoever_nearly_names_a_time_zone_is_told_its_name(name: str, meant: str) -> None:
    with pytest.raises(Refused, match=rf"Did you mean {meant}[ ?]"):
        time_zone(name)


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
    days, _ = days_of(span, zone, NOW)
    assert (days[0], days[-1]) == (first, last)
    assert len(days) == len(set(days)) == (last - first).days + 1


@pytest.mark.parametrize(
    ("size", "words"),
    [(25_000_000, "25 MB"), (25_000_001, "25.1 MB"), (31_240_000, "31.3 MB"), (1, "0.1 MB"), (0, "0 MB")],
)
def test_sizes_are_rounded_up(size: int, words: str) -> None:
    assert str(size_words(size)) == words
