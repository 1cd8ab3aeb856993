"""Work that events cause, a bounded amount of it, done a few at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Backlog(Generic[_T]):
    """Does `work` for each item, in order. Its tasks live while there is something to do; `close` ends them.

    What comes when `bound` items wait is dropped: better a missed tap than a bot that lags ever more.
    """

    def __init__(self, what: str, work: Callable[[_T], Awaitable[None]], *, bound: int, at_once: int) -> None:
        self._what = what
        self._work = work
        self._bound = bound
        self._at_once = at_once
        self._waiting: deque[_T] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._dropping = False

    def put(self, item: _T) -> bool:
        """Have it done; False if it was dropped."""
        if self._closed or len(self._waiting) >= self._bound:
            if not self._dropping:
                _log.warning("%s: more than %d wait, so some are left out", self._what, self._bound)
            self._dropping = True
            return False
        self._dropping = False
        self._waiting.append(item)
        if len(self._tasks) < self._at_once:
            task = asyncio.create_task(self._drain(), name=self._what)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        """Drop what waits, and end what goes on."""
        self._closed = True
        self._waiting.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _drain(self) -> None:
        try:
            while self._waiting:
                item = self._waiting.popleft()
                try:
                    await self._work(item)
                except Exception:  # noqa: BLE001 - logged; what comes next must not suffer
                    _log.exception("%s failed", self._what)
        finally:
            # At once: what is put before the loop calls the task's callback must find room for a new task.
            self._tasks.discard(asyncio.current_task())
