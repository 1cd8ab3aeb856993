"""Which requests of each lane have no answer yet, so that a restart knows what Studii may still count."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime

from bot.clock import Clock


class InFlightRequests:
    """When the requests in flight began, by lane, by the wall clock (the database has them by it)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: defaultdict[str, list[datetime]] = defaultdict(list)

    @contextmanager
    def request(self, lane: str) -> Generator[None]:
        """Wrap the recording of a request, the request itself and the handling of its answer."""
        began = self._clock.now()
        self._began[lane].append(began)
        try:
            yield
        finally:
            self._began[lane].remove(began)
            if not self._began[lane]:
                del self._began[lane]

    def settled(self, lane: str) -> datetime:
        """Return a moment; each request of the lane that was recorded before it has been answered."""
        return min([self._clock.now(), *self._began.get(lane, ())])
