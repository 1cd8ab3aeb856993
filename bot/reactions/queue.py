"""A bounded queue of work from events, done a few at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from bot.errors import Outage

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Backlog(Generic[_T]):
    """Does `work` for each item. Its tasks live while there is something to do; `close` ends them.

    Each server has a lane: what is in it is done one after the other, in order, and lanes take turns, so
    that no server waits for another's flood. What comes when `bound` items wait in its lane, or
    `bound_in_all` in all lanes, is dropped: better a missed tap than a bot that lags ever more.
    """

    def __init__(
        self,
        what: str,
        work: Callable[[_T], Awaitable[None]],
        *,
        bound: int,
        bound_in_all: int,
        at_once: int,
    ) -> None:
        self._what = what
        self._work = work
        self._bound = bound
        self._bound_in_all = bound_in_all
        self._at_once = at_once
        self._lanes: dict[int, deque[_T]] = {}  # those with something to do, or being done
        self._turns: deque[int] = deque()  # lanes with something to do of which nothing is being done
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._dropping = False

    def put(self, lane: int, item: _T, *, first: bool = False) -> bool:
        """Queue an item, before all others of its lane if `first`. Return False if it was dropped."""
        full = not first and len(self._lanes.get(lane, ())) >= self._bound
        if self._closed or full or self._count >= self._bound_in_all:
            if not self._dropping:
                _log.warning("%s: %d are waiting already, so some are skipped", self._what, self._count)
            self._dropping = True
            return False
        self._dropping = False
        if lane not in self._lanes:
            self._lanes[lane] = deque()
            self._turns.append(lane)
        if first:
            self._lanes[lane].appendleft(item)
        else:
            self._lanes[lane].append(item)
        self._count += 1
        if len(self._tasks) < self._at_once:
            task = asyncio.create_task(self._drain(), name=self._what)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return True

    def withdraw(self, lane: int, unwanted: Callable[[_T], bool]) -> None:
        """Remove the unwanted items that wait in the lane."""
        waiting = self._lanes.get(lane, ())
        wanted = [item for item in waiting if not unwanted(item)]
        self._count -= len(waiting) - len(wanted)
        if lane in self._lanes:
            self._lanes[lane] = deque(wanted)

    async def close(self) -> None:
        """Drop waiting items, and cancel running ones."""
        self._closed = True
        self._turns.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()
        self._count = 0

    async def _drain(self) -> None:
        try:
            while self._turns:
                await self._take_turn(self._turns.popleft())
        finally:
            # At once: what is put before the loop calls the task's callback must find room for a new task.
            self._tasks.discard(asyncio.current_task())

    async def _take_turn(self, lane: int) -> None:
        try:
            if self._lanes[lane]:
                self._count -= 1
                await self._work(self._lanes[lane].popleft())
        except Outage as error:
            _log.warning("%s failed: %s", self._what, error)
        except Exception:  # noqa: BLE001 - logged; what comes next must not suffer
            _log.exception("%s failed", self._what)
        if self._lanes[lane]:
            self._turns.append(lane)
        else:
            del self._lanes[lane]
