"""The only source of time, which tests replace."""

import time
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import Protocol

PUT_BACK = timedelta(hours=1)
"""No pause is longer: what waits until later than that was stored before the wall clock was put back."""


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
        # Not time.monotonic: the simulated Discord freezes that one while it runs our handlers. Looked up at
        # each call: the simulation replaces what a module has, not what a class took from it.
        return perf_counter()


# Not every system has it; there, the time while the machine is suspended is not seen.
_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def boottime() -> float:
    """Return the seconds of a clock that runs on while this process is stopped and the machine suspended."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)
