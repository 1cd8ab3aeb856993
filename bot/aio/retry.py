"""Retry failed operations, with a log without repetitions.

`StoreRetry` stores an answer that can't be asked for again, and `OutageRetry` repeats what many tasks could
not do in an outage, one task at a time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import ParamSpec, TypeVar

from bot.aio.bounded import BoundedDict
from bot.aio.liveness import Liveness
from bot.backoff import backoff
from bot.errors import Outage

_log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0  # after an unexpected error; doubles
MAX_RETRY_SECONDS = 60.0
MAX_FAILING = 500  # subjects that an error log remembers
RETRY_PAUSE = 2.0  # seconds at most until `StoreRetry` tries again: less than a drain
OUTAGE_PAUSE = 2.0  # seconds between two tries during an outage
RETRY_TRIES = 5  # if the reason does not seem to pass
_MAY_PASS = (Outage, OSError)
_T = TypeVar("_T")
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
        self._failing = BoundedDict[Hashable, tuple[str, int]](MAX_FAILING)  # the error, and how often

    def failed(self, error: Exception, subject: Hashable = None) -> float:
        """Log the error; returns how many seconds to leave the subject alone."""
        text = f"{type(error).__name__}: {error}"
        known = any(one[0] == text for one in self._failing.values())
        failures = self._failing.get(subject, (text, 0))[1] + 1
        self._failing[subject] = text, failures
        longest = MAX_RETRY_SECONDS if self._longest_pause is None else self._longest_pause
        pause = backoff(failures, FIRST_RETRY_SECONDS, longest)
        what = self._what if self._noun is None else f"{self._noun.capitalize()} {subject}: {self._what}"
        extra = None if self._noun is None else {self._noun: subject}
        if isinstance(error, Outage):
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
        self._waiting: set[asyncio.Task[object] | None] = set()

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, and repeat it until no outage stops it. Raises any other error that it raises."""
        while True:
            if not self._is_back:
                await self._wait()
            try:
                await work()
            except Outage:  # logged where it was raised
                self._is_back = False
            else:
                self._is_back = True
                return

    def close(self) -> None:
        """Cancel the tasks that wait for the end of an outage."""
        for task in self._waiting:
            if task is not None:
                task.cancel()

    async def _wait(self) -> None:
        me = asyncio.current_task()
        self._waiting.add(me)
        try:
            async with self._turn:
                if not self._is_back:
                    await asyncio.sleep(OUTAGE_PAUSE)
        finally:
            self._waiting.discard(me)
