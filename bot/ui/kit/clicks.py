"""A double click is one wish."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Hashable
from contextlib import asynccontextmanager

from bot.clock import Clock

# Longer than a double click or an impatient second tap, shorter than it takes to want another one.
SAME_WISH = 3.0  # seconds
BOUND = 1000


class Clicks:
    """Remembers for a moment what people asked for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[Hashable, float] = OrderedDict()

    @asynccontextmanager
    async def once(self, wish: Hashable) -> AsyncGenerator[bool]:
        """Whether this is the first time; if what is done inside fails, it was none."""
        now = self._clock.monotonic()
        self._forget(now)
        first = wish not in self._seen
        if first:
            self._seen[wish] = now
        try:
            yield first
        except BaseException:
            if first:
                self._seen.pop(wish, None)
            raise

    def _forget(self, now: float) -> None:
        while self._seen:
            wish, at = next(iter(self._seen.items()))
            if now - at < SAME_WISH and len(self._seen) <= BOUND:
                return
            del self._seen[wish]
