"""What keeps the engine's parts going: a bell that wakes them, and what to do when one stumbles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.storage import is_trouble

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

FIRST_PAUSE = 1.0  # seconds, after an unforeseen error; doubles
LONGEST_PAUSE = 60.0
REST_FOR_WORK = 5.0
MOST_COMPLAINTS = 500  # subjects; the oldest are forgotten first
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


@dataclass(slots=True)
class _Complaint:
    error: str
    pause: float


class Complaints:
    """Logs an unforeseen error with its traceback once, and its repetitions in a line; a database's trouble
    only for those who debug.

    What goes wrong with one subject says nothing of another: each has a pause of its own, which doubles.
    """

    def __init__(self, what: str, longest_pause: float | None = None) -> None:
        self._what = what
        self._longest_pause = longest_pause
        self._open: dict[Hashable, _Complaint] = {}

    def about(self, error: Exception, subject: Hashable = None, *, job: str | None = None) -> float:
        """Log it, as a line about that job if there is one; returns how many seconds to leave the subject
        alone."""
        text = f"{type(error).__name__}: {error}"
        known = any(one.error == text for one in self._open.values())
        earlier = self._open.pop(subject, None)
        longest = LONGEST_PAUSE if self._longest_pause is None else self._longest_pause
        pause = min(FIRST_PAUSE if earlier is None else earlier.pause * 2, longest)
        self._open[subject] = _Complaint(text, pause)
        if len(self._open) > MOST_COMPLAINTS:
            del self._open[next(iter(self._open))]
        what = self._what if job is None else f"Job {job}: {self._what}"
        extra = None if job is None else {"job": job}
        if is_trouble(error):
            # All parts meet it, each again and again; the storage has said so once.
            _log.debug("%s failed (%s); next try in %g s", what, text, pause, extra=extra)
        elif known:
            again = "%s failed again in the same way; next try in %g s"
            _log.warning(again, what, pause, extra=extra)
        else:
            _log.error("%s failed; next try in %g s", what, pause, exc_info=error, extra=extra)
        return pause

    def none(self, subject: Hashable = None) -> None:
        """It went well."""
        self._open.pop(subject, None)


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


async def rest_after(look: float, bound: float) -> None:
    """However often somebody rings, the database is not asked all the time: after a look that took so many
    seconds it is left alone for several times as long, at most `bound` seconds."""
    await asyncio.sleep(min(max(look * REST_FOR_WORK, SHORTEST_REST), bound))


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
