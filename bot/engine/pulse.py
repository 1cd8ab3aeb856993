"""Whether the engine gets on with its work."""

import itertools
from collections.abc import Generator
from contextlib import contextmanager

from bot.clock import Clock

PATIENCE = 300.0  # seconds that a piece of work may last; every wait in one is bounded by less
TRANSFER_PATIENCE = 3600.0  # for work that moves large files, more than once if need be


class Pulse:
    """Knows what is under way and since when, and when something was last finished."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._under_way: dict[int, tuple[str, float, float]] = {}
        self._finished = clock.monotonic()

    @contextmanager
    def work(self, what: str, patience: float = PATIENCE, *, progress: bool = True) -> Generator[None]:
        """Around a piece of work that lasts at most `patience` seconds; its end is progress, unless it only
        looks for work."""
        number = next(self._numbers)
        self._under_way[number] = (what, self._clock.monotonic(), patience)
        try:
            yield
        finally:
            del self._under_way[number]
            if progress:
                self._finished = self._clock.monotonic()

    def idle_for(self) -> float:
        """Seconds since a piece of work was last finished."""
        return self._clock.monotonic() - self._finished

    def stuck(self) -> str | None:
        """What has lasted longer than it may, while nothing else was finished either; None: all is well."""
        now = self._clock.monotonic()
        for what, began, patience in self._under_way.values():
            if now - max(began, self._finished) > patience:
                return f"{what} has lasted {now - began:.0f} s"
        return None
