"""Repeat what an outage stopped, when it is over."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import Outage

PAUSE = 2.0  # seconds between two tries during an outage


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
                    await asyncio.sleep(PAUSE)
        finally:
            self._waiting.discard(me)
