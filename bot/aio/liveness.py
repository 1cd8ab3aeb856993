"""Measure whether the engine makes progress."""

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.clock import Clock

OPERATION_TIMEOUT = 300.0  # seconds that an operation may last; every wait in one is bounded by less
TRANSFER_TIMEOUT = 3600.0  # for one that moves large files, more than once if need be
FAILING = 900.0  # seconds of nothing but unexpected errors


@dataclass(slots=True)
class Ending:
    """The end of an operation: `failed` if it met an unexpected error."""

    failed: bool = False


class Liveness:
    """Knows which operations are in progress and since when, and when one was last finished."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._numbers = itertools.count()
        self._under_way: dict[int, tuple[str, float, float]] = {}
        self._finished = clock.monotonic()
        self._failing: tuple[float, float] | None = None  # the first and the last error since then
        self._called = False

    @contextmanager
    def operation(
        self, what: str, patience: float = OPERATION_TIMEOUT, *, progress: bool = True
    ) -> Generator[Ending]:
        """Surround an operation that lasts at most `patience` seconds. Its end is progress, unless it only
        queries for work (`progress=False`) or met an unexpected error: raised it, or logged it and says so.
        """
        number, outcome = next(self._numbers), Ending()
        self._under_way[number] = (what, self._clock.monotonic(), patience)
        try:
            yield outcome
        except Exception:
            outcome.failed = True
            raise
        finally:
            del self._under_way[number]
            if outcome.failed and (progress or self._called):
                self._note_failure()
            elif progress and not outcome.failed:
                self._finished, self._failing, self._called = self._clock.monotonic(), None, False

    def called(self) -> None:
        """Record that there is work. Failed queries for it count as failures until an operation succeeds."""
        self._called = True

    def idle_for(self) -> float:
        """Return the seconds since an operation last finished."""
        return self._clock.monotonic() - self._finished

    def failing_for(self) -> float:
        """Return the seconds for which all operations met unexpected errors, or 0.0 if one succeeded."""
        if self._failing is None or self._clock.monotonic() - self._failing[1] > OPERATION_TIMEOUT:
            return 0.0
        return self._failing[1] - self._failing[0]

    def stuck(self) -> str | None:
        """Return what is stuck, or None. An operation is stuck if it lasts too long while no other ends, and
        everything is if all operations fail for long."""
        now = self._clock.monotonic()
        for what, began, patience in self._under_way.values():
            if now - max(began, self._finished) > patience:
                return f"{what} has lasted {now - began:.0f} s"
        failing = self.failing_for()
        return f"everything has failed for {failing:.0f} s" if failing > FAILING else None

    def _note_failure(self) -> None:
        now = self._clock.monotonic()
        first, last = self._failing or (now, now)
        # Failures are retried sooner than that, so a later one is a new failure.
        self._failing = (now if now - last > OPERATION_TIMEOUT else first, now)
