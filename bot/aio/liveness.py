"""Measure whether the engine makes progress, and repeat what has to be stored."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from bot.aio.retry import ErrorLog
from bot.clock import Clock
from bot.errors import Outage

OPERATION_TIMEOUT = 300.0  # seconds that an operation may last; every wait in one is bounded by less
TRANSFER_TIMEOUT = 3600.0  # for one that moves large files, more than once if need be
FAILING = 900.0  # seconds of nothing but unexpected errors

RETRY_PAUSE = 2.0  # seconds at most until `Retry` tries again: less than a drain
RETRY_TRIES = 5  # if the reason does not seem to pass
_MAY_PASS = (Outage, OSError)
_T = TypeVar("_T")
_Arguments = ParamSpec("_Arguments")


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
        queries for work (`progress=False`) or met an unexpected error."""
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


class Retry:
    """Stores what was answered once and must not be asked again. As long as the process lives, it tries again
    after an outage, such as a busy database, a full disk, or a database that is away."""

    def __init__(self, what: str, liveness: Liveness, *, noun: str | None = None) -> None:
        self._what = what
        self._liveness = liveness
        self._errors = ErrorLog(what, RETRY_PAUSE, noun=noun)

    async def run(
        self,
        subject: Hashable,
        store: Callable[_Arguments, Awaitable[_T]],
        *args: _Arguments.args,
        **options: _Arguments.kwargs,
    ) -> _T:
        """Return the result of `store`, which is called again after it failed. Raises what it raises if
        that is no outage, and comes again and again."""
        tries = 0
        while True:
            tries += 1
            # Each try is progress: the process must not be taken for stuck, and lose the answer by that.
            with self._liveness.operation(f"{self._what} ({subject})"):
                try:
                    result = await store(*args, **options)
                except Exception as error:
                    if not isinstance(error, _MAY_PASS) and tries > RETRY_TRIES:
                        raise
                    pause = self._errors.failed(error, subject)
                else:
                    self._errors.succeeded(subject)
                    return result
            await asyncio.sleep(pause)
