"""How many requests a key has left, and when it has more. Pure: it is told the time.

Studii names a number of requests a minute and not how they are counted (Studii API docs, "Rate limits"). A
sliding log that stays under that number in every window of a minute is also under it for a server that
counts whole minutes, and for a bucket of that size.
"""

from bisect import insort
from collections import deque
from collections.abc import Sequence
from copy import copy
from typing import NamedTuple

from bot.engine.tuning import Tuning


class EarlierRequest(NamedTuple):
    """A request of an earlier life: seconds since it was noted, before it was sent. By then all that had been
    noted longer than `settled` seconds ago had been answered (None: not known)."""

    age: float
    settled: float | None = None


class Slowdown(NamedTuple):
    """How 429s slow a key down, in seconds from a moment: until something may be sent at all, until it need
    not go slowly any more; and how many came in a row."""

    blocked: float
    paced: float
    blocks: int


class RateWindow:
    """The requests of one key, by a clock that never jumps (seconds).

    A request counts from the moment that it is sent until a period after its **answer**: the server has
    counted it somewhere between, and however slow the way was, it is never forgotten too early here.
    """

    def __init__(self, limit: int, tuning: Tuning) -> None:
        self._tuning = tuning
        self._limit = limit
        self._answered: deque[float] = deque()
        self._in_flight = 0
        self._blocked_until = 0.0
        self._blocks = 0
        self._paced_until = 0.0
        self._paced_next = 0.0  # when the paced burst would be whole again

    @property
    def usable(self) -> int:
        """Requests that we allow ourselves in a period."""
        return max(1, self._limit - self._tuning.rate_margin)

    def set_limit(self, limit: int) -> None:
        """Another plan: from now on `limit` requests in a period."""
        self._limit = limit

    def restore(self, earlier: Sequence[EarlierRequest], now: float) -> None:
        """Take in requests of an earlier life, oldest first.

        What is not known to have been answered may be counted by Studii as late as an answer may come, even
        after `now`. A negative age (the wall clock has been put back) counts as no age.
        """
        bound = self._tuning.answer_bound
        for number, one in enumerate(earlier):
            later = (by for by in earlier[number + 1 :] if by.settled is not None and by.settled < one.age)
            latest = max(0.0, one.age) - bound if (by := next(later, None)) is None else max(0.0, by.age)
            insort(self._answered, now - latest)

    def slowdown(self, now: float) -> Slowdown | None:
        """What a 429 still means at `now`, to be kept; None: nothing."""
        if now >= self._paced_until:
            return None
        return Slowdown(max(0.0, self._blocked_until - now), self._paced_until - now, self._blocks)

    def restore_slowdown(self, earlier: Slowdown, now: float) -> None:
        """Take in how 429s of an earlier life slow us down."""
        # Bounded, for the case that the wall clock was put back.
        bound = self._tuning.rate_block_bound
        self._blocked_until = now + min(max(0.0, earlier.blocked), bound)
        self._paced_until = now + min(max(0.0, earlier.paced), bound + self._tuning.paced_for)
        self._blocks = earlier.blocks
        # How much of the burst had been spent is not known: at first one request at a time.
        self._paced_next = max(self._blocked_until, now + (self._tuning.paced_burst - 1) * self._interval)

    def used(self, now: float) -> int:
        """Requests that count at `now`."""
        self._forget(now)
        return self._in_flight + len(self._answered)

    def room(self, now: float) -> int:
        """How many requests may be sent at `now`."""
        if now < self._blocked_until:
            return 0
        self._forget(now)
        left = max(0, self.usable - self._in_flight - len(self._answered))
        return min(left, self._paced_room(now)) if now < self._paced_until else left

    def next_room(self, now: float, count: int = 1) -> float | None:
        """When there is room for so many requests; None: not before one that is under way has ended."""
        self._forget(now)
        used = self._in_flight + len(self._answered)
        free_at = now
        if used + count > self.usable:
            # As many entries as are over the limit have to leave, not the oldest alone.
            leaving = used + count - 1 - self.usable
            if leaving >= len(self._answered):
                return None
            free_at = self._answered[leaving] + self._tuning.rate_period
        if free_at < self._paced_until:
            free_at = max(free_at, self._paced_at(min(count, self._tuning.paced_burst)))
        return max(free_at, self._blocked_until, now)

    def copy(self) -> "RateWindow":
        """One that can be played with."""
        twin = copy(self)
        twin._answered = deque(self._answered)  # noqa: SLF001 - its own twin
        return twin

    def begin(self, now: float) -> None:
        """A request is about to be sent."""
        self._in_flight += 1
        if now < self._paced_until:
            self._paced_next = max(self._paced_next, now) + self._interval

    def end(self, now: float, *, sent: bool = True) -> None:
        """It has been answered, or is given up; `sent`: False if it never left."""
        self._in_flight -= 1
        if sent:
            insort(self._answered, now)  # those of an earlier life may count for longer

    def limited(self, now: float, retry_after: float | None) -> bool:
        """Studii said 429: nothing until `retry_after` seconds from now, and slowly for a while after. False:
        that answers a request that was under way with one that met the same."""
        if now >= self._paced_until:
            self._blocks = 0
        news = now >= self._blocked_until
        if news:
            self._blocks = min(self._blocks + 1, 10)
        if retry_after is None:
            retry_after = min(60.0, self._tuning.rate_block * 2 ** (self._blocks - 1))
        pause = min(max(retry_after, self._interval), self._tuning.rate_block_bound)
        self._blocked_until = max(self._blocked_until, now + pause)
        self._paced_until = self._blocked_until + self._tuning.paced_for
        self._paced_next = max(self._paced_next, self._blocked_until)
        return news

    @property
    def _interval(self) -> float:
        return self._tuning.rate_period / self.usable

    def _paced_room(self, now: float) -> int:
        return sum(self._paced_at(count) <= now for count in range(1, self._tuning.paced_burst + 1))

    def _paced_at(self, count: int) -> float:
        """When so many requests may go at once while we are slow."""
        return self._paced_next - (self._tuning.paced_burst - count) * self._interval

    def _forget(self, now: float) -> None:
        while self._answered and self._answered[0] + self._tuning.rate_period <= now:
            self._answered.popleft()
