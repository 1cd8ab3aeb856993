"""The requests a minute that one Studii key has left, and what 429s have shown of them. Pure: the caller
passes the time.

Studii does not say which plan a key belongs to: an admin chooses it (`bot.servers.keys.Plan`). A 429 well
under the plan's limit means that the plan is another one, or that something else uses the key.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence

from bot.engine.tuning import HOUR, MINUTE, Tuning

LOWEST = 60  # requests a minute of the smallest plan with API access


class RateWindow:
    """The requests of one key that count at present.

    Studii names a number of requests a minute and not how they are counted. A request counts from when it is
    sent until a period after its **answer**, as the server counted it somewhere between. What stays under the
    limit in every such window is also under it for a server that counts whole minutes, and for a bucket of
    that size.

    A restart must not forget what was sent. So a request is noted (`note`) before it is sent.

    After a 429 no request is sent before `blocked_until`, and they are paced for a while. `odd_at` is when
    the last one came well under the limit. After a second one within an hour the plan is in doubt: until
    `lowered_until` no more is sent than the smallest plan allows.
    """

    def __init__(self, limit: int, tuning: Tuning, lane: str = "") -> None:
        self.lane, self.limit = lane, limit
        self._plan, self._chosen_at = limit, 0.0
        self.blocked_until = self.odd_at = self.lowered_until = float("-inf")
        self._tuning = tuning
        self._counts_for = tuning.rate_period + tuning.answer_bound  # if its answer is not known
        self._in_flight: list[float] = []  # when they began
        self._until: list[float] = []  # when others of this process stop counting, in order
        self._others: list[float] = []  # the same of other processes that use the key
        self._paced_next = 0.0
        self._pause = tuning.rate_block

    @property
    def usable(self) -> int:
        """Return the most requests in a period; a few fewer than Studii allows."""
        return max(1, self.limit - 2)

    def set_plan(self, limit: int, chosen_at: float) -> None:
        """Take over the admins' choice, which ends a doubt."""
        self._plan, self._chosen_at = limit, chosen_at

    def restore(self, until: Iterable[float], now: float) -> None:
        """Count requests of an earlier process until then, at most as long as one may, in case the wall
        clock was set back."""
        longest = now + self._counts_for
        self._until = sorted([*self._until, *(min(one, longest) for one in until)])

    def set_others(self, until: Iterable[float]) -> None:
        """Count the requests of other processes, in place of those counted before."""
        self._others = sorted(until)

    def restore_limits(self, blocked_until: float, odd_at: float, lowered_until: float, now: float) -> None:
        """Take over what 429s of an earlier process have shown; bounded, in case the wall clock was set
        back."""
        self.blocked_until = min(blocked_until, now + self._tuning.rate_block_bound)
        self.odd_at, self.lowered_until = min(odd_at, now), min(lowered_until, now + HOUR)

    def used(self, now: float) -> int:
        """Return how many requests count at `now`."""
        return len(self._in_flight) + len(self._counted(now))

    def free_at(self, now: float) -> float | None:
        """Return when there is room for a request, or None if one in flight has to end first."""
        # A plan in doubt is tried again after a while.
        lowered = now < self.lowered_until and self.odd_at >= self._chosen_at
        self.limit = min(self._plan, LOWEST) if lowered else self._plan
        counted = self._counted(now)
        over = len(self._in_flight) + len(counted) - self.usable
        if over >= max(0, len(counted)):
            return None
        # As many as are over the limit have to leave, not the oldest alone.
        free_at = now if over < 0 else counted[over]
        paced = self._paced_next if free_at < self.blocked_until + self._tuning.paced_for else now
        return max(free_at, self.blocked_until, paced, now)

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
        """Record a 429. Return whether the plan seems to be another one.

        It is no news if another request in flight with this one has met one.
        """
        tuning, news = self._tuning, now >= self.blocked_until
        if news:  # without a Retry-After, each pause in a row is longer
            in_a_row = now < self.blocked_until + tuning.paced_for
            self._pause = min(2 * self._pause, MINUTE) if in_a_row else tuning.rate_block
        pause = max(self._pause if retry_after is None else retry_after, self._interval)
        self.blocked_until = max(self.blocked_until, now + min(pause, tuning.rate_block_bound))
        if not news or self.used(now) > 0.8 * self.limit:
            return False
        again = self.odd_at >= max(now - HOUR, self._chosen_at)  # a single one may be an accident
        self.odd_at = now
        if again:
            self.lowered_until = now + HOUR
        return again

    @property
    def _interval(self) -> float:
        return self._tuning.rate_period / self.usable

    def _counted(self, now: float) -> Sequence[float]:
        """Return when the requests that still count stop to, in order."""
        for moments in (self._until, self._others):
            del moments[: bisect_right(moments, now)]
        return sorted([*self._until, *self._others]) if self._others else self._until
