"""The requests a minute that one Studii key has left, and what 429s have shown of them. Pure: the caller
passes the time.

Studii does not say which plan a key belongs to: an admin chooses it (`bot.domain.guilds.Plan`). A 429 well
under the plan's limit means that the plan is another one, or that something else uses the key.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple

from bot.backoff import backoff
from bot.domain.guilds import Plan
from bot.engine.tuning import DAY, HOUR, Tuning

LOWEST = Plan.PRO.requests_per_minute  # of the smallest plan with API access
FIRST_CHECK, LAST_CHECK = HOUR, DAY  # until the plan's limit is tried again; doubles each time
UNKNOWN_PAUSE, MIN_PAUSE = 5.0, 0.05  # seconds; the first if only an answer can make room


class ChosenPlan(NamedTuple):
    """The requests a minute of a plan, and when an admin chose it."""

    limit: int
    at: datetime


@dataclass(slots=True)
class Evidence:
    """The evidence of 429s about a key.

    No request is sent before `blocked_until`, and they are paced until `paced_until`; `blocks` is the number
    of 429s in a row. `odd_at` is the last one well under the plan's limit. After a second one the plan is
    `doubted`, and less is sent until `lowered_until`; the next time for `next_lowered` seconds.
    """

    blocked_until: float = 0.0
    paced_until: float = 0.0
    blocks: int = 0
    odd_at: float | None = None
    doubted: bool = False
    lowered_until: float | None = None
    next_lowered: float = FIRST_CHECK


class RateWindow:
    """The requests of one key that count at present.

    Studii names a number of requests a minute and not how they are counted. A request counts from when it is
    sent until a period after its **answer**, as the server counted it somewhere between. What stays under the
    limit in every such window is also under it for a server that counts whole minutes, and for a bucket of
    that size.

    A restart must not forget what was sent. So a request is noted (`note`) before it is sent.
    """

    def __init__(self, limit: int, tuning: Tuning, lane: str = "") -> None:
        self.lane = lane
        self.plan, self.limit = ChosenPlan(limit, datetime.min.replace(tzinfo=UTC)), limit
        self.evidence = Evidence()
        self._tuning = tuning
        self._counts_for = tuning.rate_period + tuning.answer_bound  # if its answer is not known
        self._in_flight: list[float] = []  # when they began
        self._until: list[float] = []  # when others of this process stop counting, in order
        self._others: list[float] = []  # the same of other processes that use the key
        self._paced_next = 0.0

    @property
    def usable(self) -> int:
        """Return the most requests in a period; a few fewer than Studii allows."""
        return max(1, self.limit - 2)

    def set_plan(self, plan: ChosenPlan, now: float) -> None:
        """Take over the admins' choice. Another plan, or the same one chosen again, ends a doubt."""
        if plan.limit != self.plan.limit or plan.at > self.plan.at:
            self.plan = plan
            self._believe()
        self._apply(now)

    def restore(self, until: Iterable[float], now: float) -> None:
        """Count requests of an earlier process until then, at most as long as one may, in case the wall
        clock was set back."""
        longest = now + self._counts_for
        self._until = sorted([*self._until, *(min(one, longest) for one in until)])

    def set_others(self, until: Iterable[float]) -> None:
        """Count the requests of other processes, in place of those counted before."""
        self._others = sorted(until)

    def restore_evidence(self, plan: ChosenPlan, seen: Evidence, now: float) -> None:
        """Take over what 429s of an earlier process have shown; bounded, in case the wall clock was set
        back. A doubt about another plan or an earlier choice is over."""
        longest = now + self._tuning.rate_block_bound
        paced = min(seen.paced_until, longest + self._tuning.paced_for)
        lowered = None if seen.lowered_until is None else min(seen.lowered_until, now + LAST_CHECK)
        until = {"blocked_until": min(seen.blocked_until, longest), "paced_until": paced}
        self.evidence = replace(seen, **until, lowered_until=lowered)
        if plan.limit != self.plan.limit or plan.at < self.plan.at:
            self._believe()
        self._apply(now)

    def is_unlimited(self, now: float) -> bool:
        """Return whether 429s have shown nothing that still holds."""
        return now >= self.evidence.paced_until and self.evidence.odd_at is None

    def used(self, now: float) -> int:
        """Return how many requests count at `now`."""
        return len(self._in_flight) + len(self._counted(now))

    def free_at(self, now: float) -> float | None:
        """Return when there is room for a request, or None if one in flight has to end first."""
        self._apply(now)
        counted = self._counted(now)
        over = len(self._in_flight) + len(counted) - self.usable
        if over >= max(0, len(counted)):
            return None
        # As many as are over the limit have to leave, not the oldest alone.
        free_at = now if over < 0 else counted[over]
        paced = self._paced_next if free_at < self.evidence.paced_until else now
        return max(free_at, self.evidence.blocked_until, paced, now)

    def pause(self, now: float) -> float:
        """Return the seconds until there may be room again."""
        free_at = self.free_at(now)
        return UNKNOWN_PAUSE if free_at is None else max(free_at - now, MIN_PAUSE)

    def begin(self, now: float) -> None:
        """Count a request that is about to be sent."""
        self._in_flight.append(now)
        self._paced_next = now + self._interval

    def end(self, began: float, now: float, *, sent: bool = True) -> None:
        """Record that the request that began at `began` was answered or given up, or was never sent."""
        self._in_flight.remove(began)
        if sent:
            insort(self._until, now + self._tuning.rate_period)  # an earlier process's may count longer

    def note(self, now: float) -> list[float]:
        """Return what is to be stored before the requests that have begun are sent: until when all count."""
        self._counted(now)
        return [*self._until, *(began + self._counts_for for began in self._in_flight)]

    def limited(self, now: float, retry_after: float | None) -> bool:
        """Record a 429. Return whether the plan is in doubt since now.

        It is no news if another request in flight with this one has met one.
        """
        used, seen, tuning = self.used(now), self.evidence, self._tuning
        news = now >= seen.blocked_until
        seen.blocks = (0 if now >= seen.paced_until else seen.blocks) + news
        if retry_after is None:
            retry_after = backoff(seen.blocks, tuning.rate_block, 60.0)
        pause = min(max(retry_after, self._interval), tuning.rate_block_bound)
        seen.blocked_until = max(seen.blocked_until, now + pause)
        seen.paced_until = seen.blocked_until + tuning.paced_for
        if not news or used > 0.8 * self.limit:
            return False
        accident = seen.odd_at is None or now - seen.odd_at > HOUR  # two within an hour are none
        seen.odd_at = now
        if accident and not seen.doubted:
            return False
        seen.lowered_until = now + seen.next_lowered
        seen.next_lowered = min(2 * seen.next_lowered, LAST_CHECK)
        begins, seen.doubted = not seen.doubted, True
        self._apply(now)
        return begins

    def passed(self, now: float) -> bool:
        """Record that a request was not refused. Return whether that ended a doubt about the plan."""
        if not self.evidence.doubted or self.limit <= LOWEST or self.used(now) <= 2 * LOWEST:
            return False
        self._believe()
        return True

    def _believe(self) -> None:
        self.evidence = Evidence(self.evidence.blocked_until, self.evidence.paced_until, self.evidence.blocks)

    def _apply(self, now: float) -> None:
        """Set the limit. A plan in doubt is tried again after a while."""
        lowered = self.evidence.lowered_until is not None and now < self.evidence.lowered_until
        self.limit = min(self.plan.limit, LOWEST) if lowered else self.plan.limit

    @property
    def _interval(self) -> float:
        return self._tuning.rate_period / self.usable

    def _counted(self, now: float) -> Sequence[float]:
        """Return when the requests that still count stop to, in order."""
        for moments in (self._until, self._others):
            del moments[: bisect_right(moments, now)]
        return sorted([*self._until, *self._others]) if self._others else self._until
