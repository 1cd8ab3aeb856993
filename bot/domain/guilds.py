"""Values of servers' settings: budgets and plans."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Period(StrEnum):
    """The period after which a server's budget renews, in the server's time zone."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"  # a one-off total that never renews


class Plan(StrEnum):
    """Studii's plans that have API access, by name.

    Rate limits: Studii API docs, "Rate limits" (Pro 60 a minute, Team and Business 300).
    """

    PRO = "pro"
    TEAM = "team"
    BUSINESS = "business"

    @property
    def requests_per_minute(self) -> int:
        return 60 if self is Plan.PRO else 300


DEFAULT_BUDGET = 100  # credits a day, until an admin sets a budget


@dataclass(frozen=True, slots=True)
class Budget:
    """The credits that a server may spend. A one-off total counts from `since`, when the budget was set."""

    limit: int = DEFAULT_BUDGET
    period: Period = Period.DAY
    since: datetime | None = None  # None if the default budget applies
