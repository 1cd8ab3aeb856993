"""Work out what the chart of a server's usage shows."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Series:
    """One tool's credits, day by day."""

    title: str
    credits: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class UsageChart:
    """Credits a day, stacked. `limit` is the budget's line, in credits a day; `limit_words` its label."""

    title: str
    subtitle: str
    days: tuple[date, ...]
    series: tuple[Series, ...]
    limit: float | None = None
    limit_words: str = ""
