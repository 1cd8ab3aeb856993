"""Periods of budgets, in the server's time zone."""

from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from bot.domain import Budget, Period, Window
from bot.errors import Refused
from bot.languages import Message, lazy, or_list


def time_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of that name. Raises `Refused` if there is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # OSError: "Europe" is a folder of the database
        raise Refused(_unknown_zone(name)) from None


def matching_zones(typed: str) -> list[str]:
    """Return names of time zones that contain what was typed, places first."""
    wanted = typed.strip().lower().replace(" ", "_")
    found = [zone for zone in available_timezones() if wanted in zone.lower()]
    return sorted(found, key=lambda zone: ("/" not in zone or zone.startswith("Etc/"), zone))


def _unknown_zone(name: str) -> Message:
    """Return that there is no such zone, suggesting the zone of that place, or zones with similar names."""
    places = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones()) if "/" in zone}
    wanted = name[:64].strip().rpartition("/")[2].lower().replace(" ", "_")
    close = get_close_matches(wanted, places, n=3, cutoff=0.7)
    if not close:
        return lazy(
            "“{name}” isn't a time zone. Write it like Europe/Berlin or America/New_York. "
            "Nothing was changed.",
            name=name[:50],
        )
    found = [places[wanted]] if wanted in places else [places[one] for one in close]
    return lazy(
        # Translators: {zones} is such as "Europe/Berlin" or "Europe/Berlin or America/New_York".
        "“{name}” isn't a time zone. Did you mean {zones}? Nothing was changed.",
        name=name[:50],
        zones=or_list(found),
    )


def window(budget: Budget, timezone: str, now: datetime) -> Window:
    """Return the budget's period around `now`: a day, a week from Monday, a month, or all since it was set.

    Consecutive windows have no gap and no overlap, also when the zone changes its clocks.
    """
    if budget.period is Period.TOTAL:
        # Set while the clock was ahead: jobs that start before `since` count as well.
        ahead = budget.since is not None and now < budget.since
        return Window(None if ahead else budget.since, None)
    zone = time_zone(timezone)
    first = _first_day(budget.period, now.astimezone(zone).date())
    start, end = beginning(first, zone), beginning(_next(budget.period, first), zone)
    if now >= end:
        # The clocks went back over midnight: the date is yesterday's again, but the new period has begun.
        first = _next(budget.period, first)
        start, end = end, beginning(_next(budget.period, first), zone)
    return Window(start, end)


def budget_period(budget: Budget, timezone: str, now: datetime) -> tuple[Window, str]:
    """Return the period of the budget around `now`, and its unique name."""
    period = window(budget, timezone, now)
    return period, period_name(budget, timezone, period)


def period_name(budget: Budget, timezone: str, period: Window) -> str:
    """Return the unique name of a period, such as `month 2026-03-01`.

    Grants are stored under it, so they stay with their period when the server changes its period or zone.
    """
    if budget.period is Period.TOTAL or period.start is None:
        # Untranslated: the names are stored.
        return f"total {budget.since.isoformat()}" if budget.since else "total"
    return f"{budget.period.value} {period.start.astimezone(time_zone(timezone)).date()}"


def _first_day(period: Period, day: date) -> date:
    if period is Period.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period is Period.MONTH else day


def _next(period: Period, first: date) -> date:
    if period is Period.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if period is Period.WEEK else 1)


def beginning(day: date, zone: ZoneInfo) -> datetime:
    """Return the time at which the day begins there."""
    # Fold 0: the first of a midnight that occurs twice; the time of the jump if midnight is skipped.
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)
