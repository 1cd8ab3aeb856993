"""What asyncio lacks: a shield, loops that survive errors, the order of arrival, and a watch on progress.

`StoreRetry` stores an answer that can't be asked for again, and `OutageRetry` repeats what many tasks could
not do in an outage, one task at a time.
"""

import asyncio
import itertools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Hashable
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, ParamSpec, Self, TypeVar

from bot.backoff import backoff
from bot.clock import Clock
from bot.errors import DatabaseFailed

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


async def shielded(work: Awaitable[_T]) -> _T:
    """Wait until `work` has ended, even if the task is cancelled meanwhile; then raise the cancellation."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (error := task.exception()) is not None:
        told = None if isinstance(error, DatabaseFailed) else error  # which was logged where it was raised
        _log.error("An operation that had to finish before stopping failed: %s", error, exc_info=told)
    raise cancelled


@asynccontextmanager
async def opened(path: Path, mode: Literal["rb", "wb"]) -> AsyncGenerator[BinaryIO]:
    """Open a file in a thread, and close it at the end. What is written has to be flushed before.

    A thread can't be cancelled: it is waited for, so that no file stays open.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(path.open, mode))
    try:
        yield await shielded(opening)
    finally:
        if opening.exception() is None:
            with suppress(OSError):  # a full disk, which the writing has met
                opening.result().close()


class DrainingGroup:
    """A group of tasks like `asyncio.TaskGroup`. If it is cancelled, they may end by themselves for at most
    `patience` seconds, except for those that are to be cancelled `at_once`."""

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self._group = asyncio.TaskGroup()
        self._ending = set[asyncio.Task[Any]]()
        self._hasty = set[asyncio.Task[Any]]()

    def create_task(
        self, work: Coroutine[Any, Any, _T], *, name: str, at_once: bool = False
    ) -> asyncio.Task[_T]:
        """Begin a task."""
        tasks = self._hasty if at_once else self._ending
        task = self._group.create_task(work, name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                await shielded(self._drain())
        finally:
            await self._group.__aexit__(kind, error, traceback)

    async def _drain(self) -> None:
        for task in self._hasty:
            task.cancel()
        if self._ending:
            await asyncio.wait(self._ending, timeout=self.patience)


OPERATION_TIMEOUT = 300.0  # seconds that an operation may last; every wait in one is bounded by less
TRANSFER_TIMEOUT = 3600.0  # for one that moves large files, more than once if need be
FAILING = 900.0  # seconds of nothing but unexpected errors


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
    ) -> Generator[None]:
        """Surround an operation that lasts at most `patience` seconds. Its end is progress, unless it only
        queries for work (`progress=False`) or raised an unexpected error.
        """
        number, failed = next(self._numbers), False
        self._under_way[number] = (what, self._clock.monotonic(), patience)
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            del self._under_way[number]
            if failed and (progress or self._called):
                self._note_failure()
            elif progress and not failed:
                self._finished, self._failing, self._called = self._clock.monotonic(), None, False

    def called(self) -> None:
        """Record that there is work. Failed queries for it count as failures until an operation succeeds."""
        self._called = True

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


FIRST_RETRY_SECONDS = 1.0  # after an unexpected error; doubles
MAX_RETRY_SECONDS = 60.0
MAX_FAILING = 500  # subjects that an error log remembers
RETRY_PAUSE = 2.0  # seconds at most until `StoreRetry` tries again: less than a drain
OUTAGE_PAUSE = 2.0  # seconds between two tries during an outage
RETRY_TRIES = 5  # if the reason does not seem to pass
_MAY_PASS = (DatabaseFailed, OSError)
_Arguments = ParamSpec("_Arguments")


class ErrorLog:
    """Logs an unexpected error with its traceback once, and its repetitions in one line each. An outage is
    logged at debug level only, as its origin has logged it.

    Each subject has a pause of its own, which doubles. With `noun`, subjects are things of that name: the
    lines begin with it ("Job 12ab: …"), and the records carry it as a field.
    """

    def __init__(self, what: str, longest_pause: float | None = None, *, noun: str | None = None) -> None:
        self._what = what
        self._noun = noun
        self._longest_pause = longest_pause
        self._failing: dict[Hashable, tuple[str, int]] = {}  # the error, and how often

    def failed(self, error: Exception, subject: Hashable = None) -> float:
        """Log the error; returns how many seconds to leave the subject alone."""
        text = f"{type(error).__name__}: {error}"
        known = any(one[0] == text for one in self._failing.values())
        failures = self._failing.pop(subject, (text, 0))[1] + 1
        self._failing[subject] = text, failures
        if len(self._failing) > MAX_FAILING:
            del self._failing[next(iter(self._failing))]
        longest = MAX_RETRY_SECONDS if self._longest_pause is None else self._longest_pause
        pause = backoff(failures, FIRST_RETRY_SECONDS, longest)
        what = self._what if self._noun is None else f"{self._noun.capitalize()} {subject}: {self._what}"
        extra = None if self._noun is None else {self._noun: subject}
        if isinstance(error, DatabaseFailed):
            _log.debug("%s failed (%s); next try in %g s", what, text, pause, extra=extra)
        elif known:
            again = "%s failed again in the same way; next try in %g s"
            _log.warning(again, what, pause, extra=extra)
        else:
            _log.error("%s failed; next try in %g s", what, pause, exc_info=error, extra=extra)
        return pause

    def succeeded(self, subject: Hashable = None) -> None:
        """Forget the subject's failures."""
        self._failing.pop(subject, None)


class StoreRetry:
    """Stores what was answered once and must not be asked again. As long as the process lives, it tries again
    after an outage, such as a busy database, a full disk, or a database that is away. The caller waits
    meanwhile, in an operation of its own, and each try that failed counts as progress of the engine."""

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
            try:
                result = await store(*args, **options)
            except Exception as error:
                if not isinstance(error, _MAY_PASS) and tries > RETRY_TRIES:
                    raise
                pause = self._errors.failed(error, subject)
            else:
                self._errors.succeeded(subject)
                return result
            # A try is progress: the process must not be taken for stuck, and lose the answer by that.
            with self._liveness.operation(f"{self._what} ({subject})"):
                await asyncio.sleep(pause)


class OutageRetry:
    """Repeats work that an outage stopped, one try at a time: its tasks share one pause.

    Unlike with `StoreRetry`, any other error is raised at once.
    """

    def __init__(self) -> None:
        self._is_back = True
        self._turn = asyncio.Lock()

    async def run(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work, and repeat it until no outage stops it. Raises any other error that it raises."""
        while True:
            if not self._is_back:
                async with self._turn:
                    if not self._is_back:
                        await asyncio.sleep(OUTAGE_PAUSE)
            try:
                await work()
            except DatabaseFailed:  # logged where it was raised
                self._is_back = False
            else:
                self._is_back = True
                return


REST_FACTOR = 5.0
MIN_REST_SECONDS = 0.01  # no loop turns faster than this
MAX_REST_SECONDS = 15.0


class WakeUp:
    """Wakes a loop. Setting it while the loop is busy is not lost, and several are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Wait until it is set, or until `seconds` have passed."""
        if not self._event.is_set():  # a busy loop is woken before it waits, and needs no timer
            with suppress(TimeoutError):
                async with asyncio.timeout(None if seconds is None else max(seconds, MIN_REST_SECONDS)):
                    await self._event.wait()
        self._event.clear()


async def run_forever(what: str, wake_up: WakeUp, turn: Callable[[], Awaitable[float | None]]) -> None:
    """Call `turn` each time `wake_up` is set, and when the seconds that it returned have passed.

    An unexpected error in it is logged, and the loop continues after a pause.
    """
    errors = ErrorLog(what)
    while True:
        try:
            rest = await turn()
        except Exception as error:  # noqa: BLE001 - logged; one error must not end the loop
            await asyncio.sleep(errors.failed(error))
            continue
        errors.succeeded()
        await wake_up.wait(rest)


async def rest_after(seconds: float, bound: float) -> None:
    """Sleep in proportion to a query that took `seconds`, at most `bound` seconds and never long, so that a
    loop which is woken all the time leaves the database some room."""
    longest = min(bound, MAX_REST_SECONDS)
    await asyncio.sleep(min(max(seconds * REST_FACTOR, MIN_REST_SECONDS), longest))


WAIT_FOR_EARLIER = 8.0  # seconds; a later answer would be worse than one out of turn


class PlaceInOrder:
    """The place of one who came. It is given up by taking one's turn, or by leaving."""

    def __init__(self, line: "list[PlaceInOrder]") -> None:
        self._line = line
        self.given_up = False
        self.reached = asyncio.Event()
        line.append(self)
        line[0].reached.set()

    async def turn(self) -> None:
        """Return once all who came before have had their turn or left, or have been waited for too long.

        The caller continues before those who came later, as far as it gets without waiting.
        """
        try:
            if not self.given_up and not self.reached.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(WAIT_FOR_EARLIER):
                        await self.reached.wait()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let those who came later continue, as soon as all who came before have gone."""
        self.given_up = True
        while self._line and self._line[0].given_up:
            self._line.pop(0).reached.set()
        if self._line:
            self._line[0].reached.set()


class InOrder:
    """Lets those who came with one key prepare at once, and continue in the order in which they came."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, list[PlaceInOrder]] = {}  # one for each server that was ever heard of

    def arrive(self, key: Hashable) -> PlaceInOrder:
        """Return the next place. To be asked for before anything is waited for."""
        return PlaceInOrder(self._lines.setdefault(key, []))
