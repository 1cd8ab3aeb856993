"""End a process that has work but makes no progress, so that its supervisor restarts it.

All work continues from the database, so a restart loses nothing.
"""

import asyncio
import faulthandler
import logging
import os
import sys
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Self

_log = logging.getLogger(__name__)

EXIT_STATUS = 70  # EX_SOFTWARE of sysexits.h
BEAT = 1.0  # seconds
STANDSTILL = 60.0  # seconds without a beat of the event loop


def end_process() -> None:
    """Print every thread's stack and exit at once: a blocked event loop can't run any clean-up."""
    faulthandler.dump_traceback(sys.stderr)
    sys.stderr.flush()
    os._exit(EXIT_STATUS)


class Watchdog:
    """Watches the event loop from a thread, and `stuck` from the loop, while its context is open."""

    def __init__(
        self,
        stuck: Callable[[], str | None],
        *,
        end: Callable[[], None] = end_process,
        beat: float = BEAT,
        standstill: float = STANDSTILL,
    ) -> None:
        self._stuck = stuck
        self._end = end
        self._beat = beat
        self._standstill = standstill
        self._last = perf_counter()
        self._puzzled = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._live(), name="watchdog")
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        await asyncio.to_thread(self._thread.join)

    async def _live(self) -> None:
        while True:
            self._last = perf_counter()
            reason = self._why_stuck()
            if reason is not None:
                _log.critical("The engine makes no progress (%s): ending the process.", reason)
                self._end()
                return
            await asyncio.sleep(self._beat)

    def _why_stuck(self) -> str | None:
        """Return the reason of `stuck`, or None. Its errors are logged once, and watching continues."""
        try:
            return self._stuck()
        except Exception:  # noqa: BLE001 - logged; without it the loop alone would be watched
            if not self._puzzled:
                _log.exception("Could not check whether the engine makes progress.")
            self._puzzled = True
            return None

    def _watch(self) -> None:
        while not self._closing.wait(self._beat):
            if self._task is not None and self._task.done():
                return
            silent = perf_counter() - self._last
            if silent > self._standstill:
                _log.critical("The event loop has stood still for %.0f s: ending the process.", silent)
                self._end()
                return
