"""Requests a minute per key (Studii API docs, Rate limits).

The documentation names a number of requests a minute and no more, so the way of counting can be chosen: a
client has to live with any of them.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal, Protocol

Counting = Literal["sliding", "fixed", "bucket"]


@dataclass(frozen=True, kw_only=True)
class RateStyle:
    """The way in which requests are counted, and the form of a refusal.

    `period` is in seconds. `burst` is the size of the bucket (by default the limit itself).
    """

    counting: Counting = "sliding"
    period: float = 60.0
    burst: int | None = None
    retry_after: bool = True
    counts_refused: bool = False


class RateLimiter(Protocol):
    def take(self, now: float) -> float:
        """Count a request at `now`; 0 lets it through, else the seconds until there is room."""
        ...


class SlidingWindow:
    def __init__(self, limit: int, style: RateStyle) -> None:
        self._limit, self._style = limit, style
        self._taken: deque[float] = deque(maxlen=max(1, limit))

    def take(self, now: float) -> float:
        while self._taken and self._taken[0] <= now - self._style.period:
            self._taken.popleft()
        if len(self._taken) < self._limit:
            self._taken.append(now)
            return 0.0
        if self._style.counts_refused:
            self._taken.append(now)
        return self._taken[0] + self._style.period - now if self._taken else self._style.period


class FixedWindow:
    """Counts start anew at every whole period, so that two bursts may meet around the turn."""

    def __init__(self, limit: int, style: RateStyle) -> None:
        self._limit, self._style = limit, style
        self._window = -1
        self._count = 0

    def take(self, now: float) -> float:
        window = int(now // self._style.period)
        if window != self._window:
            self._window, self._count = window, 0
        if self._count < self._limit:
            self._count += 1
            return 0.0
        return (window + 1) * self._style.period - now


class TokenBucket:
    def __init__(self, limit: int, style: RateStyle) -> None:
        self._rate = limit / style.period
        self._size = float(style.burst if style.burst is not None else limit)
        self._style = style
        self._tokens, self._at = self._size, 0.0

    def take(self, now: float) -> float:
        self._tokens = (
            min(self._size, self._tokens + (now - self._at) * self._rate) if self._at else self._size
        )
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        if self._style.counts_refused:
            self._tokens = max(-self._size, self._tokens - 1)
        return (1 - self._tokens) / self._rate if self._rate else self._style.period


def make_limiter(limit: int, style: RateStyle) -> RateLimiter:
    """Make a fresh limiter that lets `limit` requests through in a period."""
    kinds = {"sliding": SlidingWindow, "fixed": FixedWindow, "bucket": TokenBucket}
    return kinds[style.counting](limit, style)
