"""The only source of time, which tests replace."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Protocol


class Clock(Protocol):
    """A wall clock and a monotonic clock."""

    def now(self) -> datetime:
        """Return the time, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return the seconds of a clock that never goes back."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        # Not time.monotonic: the simulated Discord freezes that one while it runs our handlers.
        return perf_counter()
