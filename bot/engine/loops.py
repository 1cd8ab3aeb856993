"""What keeps the engine's parts going: a bell that wakes them, and what to do when one stumbles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

FIRST_PAUSE = 1.0  # seconds, after an unforeseen error; doubles
LONGEST_PAUSE = 60.0
SHORTEST_REST = 0.01  # no loop turns faster than this, whatever its round says


class Bell:
    """Wakes a loop. A ring while the loop is busy is not lost, and several are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Until it rings, or until `seconds` have passed."""
        try:
            async with asyncio.timeout(None if seconds is None else max(seconds, SHORTEST_REST)):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class Complaints:
    """Logs an unforeseen error with its traceback once, and its repetitions in a line."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._last: str | None = None
        self._pause = FIRST_PAUSE

    def about(self, error: Exception) -> float:
        """Log it; returns how many seconds to leave it alone."""
        seen, self._last = self._last, f"{type(error).__name__}: {error}"
        pause, self._pause = self._pause, min(self._pause * 2, LONGEST_PAUSE)
        if seen == self._last:
            _log.warning("%s failed again in the same way; next try in %g s", self._what, pause)
        else:
            _log.error("%s failed; next try in %g s", self._what, pause, exc_info=error)
        return pause

    def none(self) -> None:
        """It went well."""
        self._last, self._pause = None, FIRST_PAUSE


async def keep_doing(
    what: str,
    bell: Bell,
    turn: Callable[[], Awaitable[float | None]],
    *,
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Do `turn` each time the bell rings, and when the seconds that it returned have passed.

    An unforeseen error in it is logged, and after a pause it goes on.
    """
    complaints = Complaints(what)
    while not until():
        try:
            rest = await turn()
        except Exception as error:  # noqa: BLE001 - logged; one stumble must not end the part
            await asyncio.sleep(complaints.about(error))
            continue
        complaints.none()
        await bell.wait(rest)


async def untorn(work: Coroutine[Any, Any, _T], *, patience: float | None = None) -> _T:
    """Run `work` to its end even when we are cancelled; the cancellation is passed on afterwards.

    With `patience`, work that takes longer than so many seconds after it is cancelled too.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if not task.done():
            await asyncio.wait({task}, timeout=patience)
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("What was to be finished before stopping failed", exc_info=error)
        raise
