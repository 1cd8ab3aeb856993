"""Repeat what an outage stopped, when it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.errors import Outage

_log = logging.getLogger(__name__)

PAUSE = 2.0  # seconds between two tries during an outage


class OutageRetry:
    """Repeats work that an outage stopped, one try at a time. What is repeated is logged once, at the end.

    Unlike `StoreRetry`, it serves many tasks, which share one pause, and any other error is raised at once.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_back = True
        self._turn = asyncio.Lock()
        self._kept: set[asyncio.Task[object] | None] = set()
        self._repeated = 0

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work, and repeat it until no outage stops it. Raises any other error that it raises."""
        me = asyncio.current_task()
        was_kept = False
        try:
            while True:
                if not self._is_back:
                    was_kept = True
                    self._kept.add(me)
                    await self._wait()
                    self._kept.discard(me)
                try:
                    await work()
                except Outage:  # logged where it was raised
                    self._is_back = False
                else:
                    self._is_back = True
                    self._repeated += was_kept
                    return
        finally:
            self._kept.discard(me)
            if not self._kept and self._is_back and self._repeated:
                _log.info("%s: %d were delayed by an outage, and are done now", self._what, self._repeated)
                self._repeated = 0

    def close(self) -> None:
        """Cancel the tasks that wait for the end of an outage."""
        for task in self._kept:
            if task is not None:
                task.cancel()

    async def _wait(self) -> None:
        async with self._turn:
            if not self._is_back:
                await asyncio.sleep(PAUSE)
