"""Which requests of each lane wait for their answer, so that a restart knows what may still be counted."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from bot.clock import Clock


class Underway:
    """The requests under way, by when their steps began (by the wall clock, as they are kept)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: defaultdict[str, list[datetime]] = defaultdict(list)

    @contextmanager
    def request(self, lane: str) -> Generator[None]:
        """Around the noting of a request, the request, and its answer."""
        began = self._clock.now()
        self._began[lane].append(began)
        try:
            yield
        finally:
            self._began[lane].remove(began)
            if not self._began[lane]:
                del self._began[lane]

    def settled(self, lane: str) -> datetime:
        """Each of the lane's requests that was noted before then has been answered."""
        return min([self._clock.now(), *self._began.get(lane, ())])
