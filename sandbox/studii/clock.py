"""The clock of the sandbox, which tests can move."""

from datetime import UTC, datetime
from time import perf_counter
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time of day, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Return the seconds since some moment. It never goes back."""
        ...


class RealClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        # Not time.monotonic: a simulated Discord in the same process may have it frozen.
        return perf_counter()
