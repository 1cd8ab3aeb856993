"""Count how many requests a key has left, and when it has more. Pure: the caller passes the time.

Studii names a number of requests a minute and not how they are counted (Studii API docs, "Rate limits"). A
sliding log that stays under that number in every window of a minute is also under it for a server that
counts whole minutes, and for a bucket of that size.
"""

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from copy import copy
from typing import NamedTuple

from bot.backoff import backoff
from bot.engine.tuning import Tuning


class EarlierRequest(NamedTuple):
    """A request of an earlier process: seconds since it was recorded, before it was sent. At that time, all
    that had been recorded more than `settled` seconds ago had been answered, if it is not None."""

    age: float
    settled: float | None


class Slowdown(NamedTuple):
    """The remaining effect of 429s on a key: the seconds for which nothing may be sent (`blocked`) and
    for which requests are paced (`paced`), and how many 429s came in a row."""

    blocked: float
    paced: float
    blocks: int


class RateWindow:
    """The requests of one key that count at present, by the monotonic clock.

    A request counts from when it is sent until a period after its **answer**: the server has counted it
    somewhere between, so that it is never forgotten too early here, even on a slow network.
    """

    def __init__(self, limit: int, tuning: Tuning) -> None:
        self._tuning = tuning
        self._limit = limit
        self._answered: deque[float] = deque()
        self._in_flight: list[float] = []  # when they began
        self._others: list[float] = []  # as `_answered`, of other processes that use the key
        self._blocked_until = 0.0
        self._blocks = 0
        self._paced_until = 0.0
        self._paced_next = 0.0  # when the paced burst would be whole again

    @property
    def usable(self) -> int:
        """Return the most requests in a period; a few fewer than Studii allows."""
        return max(1, self._limit - self._tuning.rate_margin)

    def set_limit(self, limit: int) -> None:
        """Allow `limit` requests in a period from now on."""
        self._limit = limit

    def restore(self, earlier: Sequence[EarlierRequest], now: float) -> None:
        """Count requests of an earlier process, oldest first.

        Studii may count a request without a known answer as late as an answer may come, even after `now`. A
        negative age (the wall clock was set back) counts as 0.
        """
        for moment in self._latest(earlier, now):
            insort(self._answered, moment)

    def set_others(self, earlier: Sequence[Sequence[EarlierRequest]], now: float) -> None:
        """Count the requests of other processes that use the key, those of each oldest first.

        They take the place of those that were counted before.
        """
        self._others = sorted(moment for one in earlier for moment in self._latest(one, now))

    def _latest(self, earlier: Sequence[EarlierRequest], now: float) -> Iterator[float]:
        """Yield the latest moment at which Studii may have counted each request."""
        bound = self._tuning.answer_bound
        for number, one in enumerate(earlier):
            later = (by for by in earlier[number + 1 :] if by.settled is not None and by.settled < one.age)
            latest = max(0.0, one.age) - bound if (by := next(later, None)) is None else max(0.0, by.age)
            yield now - latest

    def slowdown(self, now: float) -> Slowdown | None:
        """Return what 429s still mean at `now`, or None if nothing."""
        if now >= self._paced_until:
            return None
        return Slowdown(max(0.0, self._blocked_until - now), self._paced_until - now, self._blocks)

    def restore_slowdown(self, earlier: Slowdown, now: float) -> None:
        """Take over what 429s of an earlier process still mean at `now`."""
        # Bounded, in case the wall clock was set back.
        bound = self._tuning.rate_block_bound
        self._blocked_until = now + min(max(0.0, earlier.blocked), bound)
        self._paced_until = now + min(max(0.0, earlier.paced), bound + self._tuning.paced_for)
        self._blocks = earlier.blocks
        # How much of the burst was spent is unknown, so it begins with one request.
        self._paced_next = max(self._blocked_until, now + (self._tuning.paced_burst - 1) * self._interval)

    def used(self, now: float) -> int:
        """Return how many requests count at `now`."""
        self._forget(now)
        return len(self._in_flight) + len(self._counted())

    def requests_left(self, now: float) -> int:
        """Return how many requests may be sent at `now`."""
        if now < self._blocked_until:
            return 0
        self._forget(now)
        left = max(0, self.usable - self.used(now))
        return min(left, self._paced_left(now)) if now < self._paced_until else left

    def next_request_at(self, now: float) -> float | None:
        """Return when there is room for a request, or None if one in flight has to end first."""
        self._forget(now)
        counted = self._counted()
        used = len(self._in_flight) + len(counted)
        free_at = now
        if used >= self.usable:
            # As many entries as are over the limit have to leave, not the oldest alone.
            leaving = used - self.usable
            if leaving >= len(counted):
                return None
            free_at = counted[leaving] + self._tuning.rate_period
        if free_at < self._paced_until:
            free_at = max(free_at, self._paced_at(1))
        return max(free_at, self._blocked_until, now)

    def copy(self) -> "RateWindow":
        """Return an independent copy."""
        twin = copy(self)
        twin._in_flight, twin._answered = list(self._in_flight), deque(self._answered)  # noqa: SLF001 - its own twin
        twin._others = list(self._others)  # noqa: SLF001
        return twin

    def begin(self, now: float) -> None:
        """Count a request that is about to be sent."""
        self._in_flight.append(now)
        if now < self._paced_until:
            self._paced_next = max(self._paced_next, now) + self._interval

    def end(self, began: float, now: float, *, sent: bool = True) -> None:
        """Record that the request that began at `began` was answered or given up.

        `sent` is False if it never left this process.
        """
        self._in_flight.remove(began)
        if sent:
            insort(self._answered, now)  # those of an earlier process may count for longer

    def oldest(self, now: float) -> float:
        """Return the age in seconds of the oldest request in flight, or 0.0 if there is none."""
        return now - min(self._in_flight, default=now)

    def limited(self, now: float, retry_after: float | None) -> bool:
        """Record a 429: send nothing for `retry_after` seconds, and slowly for a while after.

        Return False if requests were blocked already, so that this one was in flight with another that met
        a 429.
        """
        if now >= self._paced_until:
            self._blocks = 0
        news = now >= self._blocked_until
        if news:
            self._blocks += 1
        if retry_after is None:
            retry_after = backoff(self._blocks, self._tuning.rate_block, 60.0)
        pause = min(max(retry_after, self._interval), self._tuning.rate_block_bound)
        self._blocked_until = max(self._blocked_until, now + pause)
        self._paced_until = self._blocked_until + self._tuning.paced_for
        self._paced_next = max(self._paced_next, self._blocked_until)
        return news

    @property
    def _interval(self) -> float:
        return self._tuning.rate_period / self.usable

    def _paced_left(self, now: float) -> int:
        return sum(self._paced_at(count) <= now for count in range(1, self._tuning.paced_burst + 1))

    def _paced_at(self, count: int) -> float:
        """Return when `count` requests may be sent at once while requests are paced."""
        return self._paced_next - (self._tuning.paced_burst - count) * self._interval

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] + self._tuning.rate_period <= now:
            self._answered.popleft()
        while self._others and self._others[0] + self._tuning.rate_period <= now:
            self._others.pop(0)

    def _counted(self) -> Sequence[float]:
        """Return when the requests that still count were answered at the latest, in order."""
        return sorted([*self._answered, *self._others]) if self._others else self._answered
