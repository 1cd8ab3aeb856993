"""A bounded queue of work from events, done a few at a time."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import KW_ONLY, dataclass
from functools import partial
from typing import Generic, TypeVar

from bot.aio.retry import OutageRetry

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(eq=False)
class Backlog(Generic[_T]):
    """Does `work` for each item. Its tasks live while there is something to do; `close` ends them.

    Each server has a queue, and servers take turns, so that no server waits for another's flood. In a queue,
    items are begun in order and `abreast` are done at once, but those with the same `key` one after the
    other; without `key`, all have the same one. What comes when `bound` items wait in its queue, or
    `bound_in_all` in all queues, is refused: better a missed tap than a bot that lags ever more. What an
    outage stops is repeated after it.
    """

    what: str
    work: Callable[[_T], Awaitable[None]]
    _: KW_ONLY
    bound: int
    bound_in_all: int
    at_once: int
    abreast: int = 1
    key: Callable[[_T], Hashable] = lambda _: None

    def __post_init__(self) -> None:
        self._until_back = OutageRetry()
        self._queues: dict[int, deque[_T]] = {}  # those with something to do, or being done
        self._busy: dict[int, set[Hashable]] = {}  # keys of what is being done for each of them
        self._turns: deque[int] = deque()  # servers in whose queues something may be begun
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._dropping = False

    def put(self, server: int, item: _T, *, first: bool = False) -> bool:
        """Queue an item, before all others of the server if `first`. Return False if it was refused."""
        full = not first and len(self._queues.get(server, ())) >= self.bound
        if self._closed or full or self._count >= self.bound_in_all:
            if not self._dropping:
                _log.warning("%s: %d are waiting already, so some are skipped", self.what, self._count)
            self._dropping = True
            return False
        self._dropping = False
        if server not in self._queues:
            self._queues[server], self._busy[server] = deque(), set()
        if first:
            self._queues[server].appendleft(item)
        else:
            self._queues[server].append(item)
        self._count += 1
        self._take_turns(server)
        return True

    def withdraw(self, server: int, unwanted: Callable[[_T], bool]) -> list[_T]:
        """Remove the unwanted items that wait in the server's queue, and return them."""
        wanted, removed = deque[_T](), list[_T]()
        for item in self._queues.get(server, ()):
            (removed if unwanted(item) else wanted).append(item)
        self._count -= len(removed)
        if server in self._queues:
            self._queues[server] = wanted
        return removed

    async def close(self) -> None:
        """Drop waiting items, and cancel running ones."""
        self._closed = True
        self._turns.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._queues.clear()
        self._busy.clear()
        self._count = 0

    def _take_turns(self, server: int) -> None:
        """Let the server have a turn if something in its queue may be begun, and a task that takes it."""
        if server not in self._turns and self._next(server) is not None:
            self._turns.append(server)
        if self._turns and len(self._tasks) < self.at_once and not self._closed:
            task = asyncio.create_task(self._drain(), name=self.what)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self, server: int) -> int | None:
        """Return the place of the first item in the server's queue that may be begun."""
        busy = self._busy.get(server, set())
        if len(busy) >= self.abreast:
            return None
        waiting = enumerate(self._queues.get(server, ()))
        return next((place for place, item in waiting if self.key(item) not in busy), None)

    async def _drain(self) -> None:
        try:
            while self._turns:
                await self._take_turn(self._turns.popleft())
        finally:
            # At once: what is put before the loop calls the task's callback must find room for a new task.
            self._tasks.discard(asyncio.current_task())

    async def _take_turn(self, server: int) -> None:
        place = self._next(server)
        if place is None:
            return  # the end of what is being done there calls again
        item = self._queues[server][place]
        del self._queues[server][place]
        self._count -= 1
        key = self.key(item)
        self._busy[server].add(key)
        self._take_turns(server)  # more may be begun beside it
        try:
            await self._until_back.run(partial(self.work, item))
        except Exception:  # noqa: BLE001 - logged; what comes next must not suffer
            _log.exception("%s failed", self.what)
        self._busy[server].discard(key)
        if self._queues[server]:
            self._take_turns(server)
        elif not self._busy[server]:
            del self._queues[server], self._busy[server]
