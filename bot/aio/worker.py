"""Works through items that a query names, a bounded number at once, one task an item."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from bot.aio.liveness import OPERATION_TIMEOUT, Liveness
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog
from bot.aio.turns import Turns, Who
from bot.clock import Clock
from bot.errors import Outage

UNEXPECTED_TRIES = 8  # some two minutes
HOLDS_ITS_QUEUE = 3  # tries; an item that still fails then no longer holds up those behind it
_T = TypeVar("_T")


@dataclass(slots=True)
class _Retry:
    tries: int = 0
    not_before: float = 0.0
    failures: int = 0  # unexpected errors in a row
    seen: Hashable = None  # the item's news at the last try


class KeyedWorker(Generic[_T]):
    """Works through items, of which each has a key: never on two with the same key at once.

    `find(limit)` names items, oldest first; `work(item, tries)` returns None when it is done with one, or in
    how many seconds to try again (`tries`: how often that was said before). An item that meets unexpected
    errors again and again is left to `give_up`. In the log, an item is called by `noun` and its key.

    Items with the same `queue` go one after the other, in order; without `queue`, they are independent. An
    item whose `news` have changed since the last try is tried again at once. With `shared_by`, groups and
    their members share the worker (see `Turns`).
    """

    def __init__(
        self,
        what: str,
        find: Callable[[int], Awaitable[list[_T]]],
        work: Callable[[_T, int], Awaitable[float | None]],
        give_up: Callable[[_T], Awaitable[None]],
        *,
        key: Callable[[_T], Hashable],
        noun: str,
        size: int,
        clock: Clock,
        look_around: float,
        liveness: Liveness,
        patience: float = OPERATION_TIMEOUT,
        queue: Callable[[_T], Hashable] | None = None,
        news: Callable[[_T], Hashable] = lambda _: None,
        shared_by: Callable[[_T], Who] | None = None,
    ) -> None:
        self.wake_up = WakeUp()
        self.what = what
        self._find = find
        self._work = work
        self._give_up = give_up
        self._key = key
        self._size = size
        self._clock = clock
        self._look_around = look_around
        self._queue = queue or key
        self._news = news
        self._shared_by = shared_by
        self._turns = Turns(size)
        self._busy: set[Hashable] = set()
        self._just_ended: set[Hashable] = set()
        self._retries: dict[Hashable, _Retry] = {}
        self._noun = noun
        self._errors = ErrorLog(what, noun=noun)
        self._liveness = liveness
        self._patience = patience

    async def run(self) -> None:
        """Run until cancelled; ends only when all its tasks have."""
        async with asyncio.TaskGroup() as group:
            await run_forever(self.what, self.wake_up, lambda: self._turn(group))

    async def _turn(self, group: asyncio.TaskGroup) -> float:
        # So many that there is something new among them, however many are in progress or waiting for a retry.
        limit = 2 * self._size + len(self._busy) + len(self._retries)
        self._just_ended.clear()
        began = self._clock.monotonic()
        with self._liveness.operation(self.what, progress=False):
            found = await self._find(limit)
        now = self._clock.monotonic()
        self._begin(found, now, group)
        if len(found) < limit:
            self._forget_all_but({self._key(item) for item in found})
        await rest_after(now - began, self._look_around)
        # What was due at the query was begun, or is begun when another has ended, which wakes the worker.
        # What has fallen due since has not been seen yet.
        due = [one.not_before for one in self._retries.values() if one.not_before > now]
        wait = min(due, default=now + self._look_around) - self._clock.monotonic()
        return min(max(0.0, wait), self._look_around)

    def _begin(self, found: list[_T], now: float, group: asyncio.TaskGroup) -> None:
        held_up: set[Hashable] = set()
        for item in found if self._shared_by is None else self._turns.in_turn(found, self._shared_by):
            key, queue = self._key(item), self._queue(item)
            retry = self._retries.get(key, _Retry())
            resting = retry.not_before > now and retry.seen == self._news(item)
            if key in self._just_ended:
                # The query may have seen it as it was before. Its end woke the worker, which looks again.
                held_up.add(queue)
            elif key in self._busy or (resting and retry.tries <= HOLDS_ITS_QUEUE):
                held_up.add(queue)
            elif not resting and queue not in held_up and self._has_place_for(item):
                held_up.add(queue)
                self._busy.add(key)
                if self._shared_by is not None:
                    self._turns.began(self._shared_by(item))
                group.create_task(self._do(item, retry), name=f"{self.what} {key}")

    async def _do(self, item: _T, retry: _Retry) -> None:
        key = self._key(item)
        again: float | None
        failures = 0
        try:
            with self._liveness.operation(f"{self.what} ({self._noun} {key})", self._patience):
                if retry.failures < UNEXPECTED_TRIES:
                    again = await self._work(item, retry.tries)
                else:
                    again = await self._give_up(item)
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            again = self._errors.failed(error, key)
            # An outage says nothing against the item.
            failures = retry.failures if isinstance(error, Outage) else retry.failures + 1
        else:
            self._errors.succeeded(key)
        finally:
            self._busy.discard(key)
            if self._shared_by is not None:
                self._turns.ended(self._shared_by(item))
            self._just_ended.add(key)
            self.wake_up.set()
        if again is None:
            self._retries.pop(key, None)
        else:
            not_before = self._clock.monotonic() + again
            self._retries[key] = _Retry(retry.tries + 1, not_before, failures, self._news(item))

    def _has_place_for(self, item: _T) -> bool:
        if len(self._busy) >= self._size:
            return False
        return self._shared_by is None or self._turns.may_begin(self._shared_by(item))

    def _forget_all_but(self, keys: set[Hashable]) -> None:
        for key in self._retries.keys() - keys - self._busy:
            del self._retries[key]
