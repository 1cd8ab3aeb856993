"""Check whether a key allows as many requests a minute as its plan says. Pure: the caller passes the time.

Studii does not say which plan a key belongs to: an admin chooses it (`bot.domain.Plan`). A 429 well under
the plan's limit means that the plan is another one, or that something else uses the key.
"""

from datetime import datetime
from typing import NamedTuple

from bot.domain.guilds import Plan

LOWEST = Plan.PRO.requests_per_minute  # of the smallest plan with API access
WELL_UNDER = 0.8  # of the plan's limit
DOUBTED_WITHIN = 3600.0  # seconds between two such 429s that are more than an accident
FIRST_CHECK = 3600.0  # seconds until the plan's limit is tried again; doubles each time
LAST_CHECK = 24 * 3600.0


class ChosenPlan(NamedTuple):
    """The requests a minute of a plan, and when an admin chose it."""

    limit: int
    at: datetime


class PlanDoubt(NamedTuple):
    """The evidence against a plan, in seconds around a moment.

    `odd_for`: since the last 429 well under the limit. `certain`: that was not the first one. `lowered_for`:
    how long less is still sent. `next_lowered`: how long less will be sent the next time.
    """

    plan: ChosenPlan
    odd_for: float
    certain: bool
    lowered_for: float
    next_lowered: float


class PlanCheck:
    """Decides which limit to keep to: that of `plan`, which the admins chose, or less if 429s speak against
    it."""

    def __init__(self, plan: ChosenPlan) -> None:
        self.plan = plan
        self._believe()

    def _believe(self) -> None:
        self._odd_at: float | None = None
        self._doubted = False
        self._check = FIRST_CHECK
        self._lowered_until: float | None = None

    def set_plan(self, plan: ChosenPlan) -> None:
        """Take over the admins' choice. Another plan, or the same one chosen again, ends the doubt."""
        if plan.limit != self.plan.limit or plan.at > self.plan.at:
            self.plan = plan
            self._believe()

    def limit(self, now: float) -> int:
        """Return how many requests a minute may be sent. A plan in doubt is tried again after a while."""
        lowered = self._lowered_until is not None and now < self._lowered_until
        return min(self.plan.limit, LOWEST) if lowered else self.plan.limit

    def limited(self, now: float, used: int) -> bool:
        """Record a 429 at `used` requests within a minute. Return whether the plan is in doubt since now."""
        if used > WELL_UNDER * self.limit(now):
            return False
        accident = self._odd_at is None or now - self._odd_at > DOUBTED_WITHIN
        self._odd_at = now
        if accident and not self._doubted:
            return False
        self._lowered_until = now + self._check
        self._check = min(2 * self._check, LAST_CHECK)
        news, self._doubted = not self._doubted, True
        return news

    def sent(self, now: float, used: int) -> bool:
        """Record that `used` requests within a minute passed. Return whether that ended a doubt."""
        if not self._doubted or self.limit(now) <= LOWEST or used <= 2 * LOWEST:
            return False
        self._believe()
        return True

    def doubt(self, now: float) -> PlanDoubt | None:
        """Return what speaks against the plan, or None if nothing does."""
        if self._odd_at is None:
            return None
        lowered_for = 0.0 if self._lowered_until is None else max(0.0, self._lowered_until - now)
        return PlanDoubt(self.plan, now - self._odd_at, self._doubted, lowered_for, self._check)

    def restore(self, doubt: PlanDoubt, now: float) -> None:
        """Take over a stored doubt, unless it is about another plan or an earlier choice."""
        if doubt.plan.limit != self.plan.limit or doubt.plan.at < self.plan.at:
            return
        self._odd_at = now - max(0.0, doubt.odd_for)
        self._doubted = doubt.certain
        self._check = min(max(doubt.next_lowered, FIRST_CHECK), LAST_CHECK)
        if doubt.certain:
            # Bounded, in case the wall clock was set back.
            self._lowered_until = now + min(doubt.lowered_for, self._check)


def doubt_details(masked: str, plan: Plan, used: int, lowered: int) -> dict[str, str | int | None]:
    """Return the details of the notice to the admins."""
    return {
        "masked": masked,
        "plan": plan.value,
        "limit": plan.requests_per_minute,
        "used": used,
        "lowered": lowered,
    }
