"""Whether the engine gets on with its work."""

import itertools
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.clock import Clock

OPERATION_TIMEOUT = 300.0  # seconds that an operation may last; every wait in one is bounded by less
TRANSFER_TIMEOUT = 3600.0  # for one that moves large files, more than once if need be
FAILING = 900.0  # seconds of nothing but unexpected errors


@dataclass(slots=True)
class Operation:
    """One operation. `failed`: it met an unexpected error, even if that was handled."""

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
    ) -> Generator[Operation]:
        """Surround an operation that lasts at most `patience` seconds. Its end is progress, unless it only
        looks for work (`progress=False`) or met an unexpected error."""
        operation = Operation()
        number = next(self._numbers)
        self._under_way[number] = (what, self._clock.monotonic(), patience)
        try:
            yield operation
        except Exception:
            operation.failed = True
            raise
        finally:
            del self._under_way[number]
            if operation.failed and (progress or self._called):
                self._note_failure()
            elif progress and not operation.failed:
                self._finished, self._failing, self._called = self._clock.monotonic(), None, False

    def called(self) -> None:
        """There is work: whoever fails to find it now makes no progress."""
        self._called = True

    def idle_for(self) -> float:
        """Seconds since an operation was last finished."""
        return self._clock.monotonic() - self._finished

    def failing_for(self) -> float:
        """Seconds for which work has met nothing but unexpected errors; 0.0: it does not."""
        if self._failing is None or self._clock.monotonic() - self._failing[1] > OPERATION_TIMEOUT:
            return 0.0
        return self._failing[1] - self._failing[0]

    def stuck(self) -> str | None:
        """What has lasted longer than it may, while nothing else was finished either, or that everything
        fails; None: all is well."""
        now = self._clock.monotonic()
        for what, began, patience in self._under_way.values():
            if now - max(began, self._finished) > patience:
                return f"{what} has lasted {now - began:.0f} s"
        failing = self.failing_for()
        return f"everything has failed for {failing:.0f} s" if failing > FAILING else None

    def _note_failure(self) -> None:
        now = self._clock.monotonic()
        first, last = self._failing or (now, now)
        # After a longer silence it is another matter: what fails is tried again sooner.
        self._failing = (now if now - last > OPERATION_TIMEOUT else first, now)
