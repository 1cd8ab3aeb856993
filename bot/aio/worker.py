"""Work through items that are passed to it or found in a database, a bounded number at once, one task an
item."""

from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Generic, TypeVar

from bot.aio.fair_share import FairShare, Who
from bot.aio.liveness import OPERATION_TIMEOUT, Liveness
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.next_tries import NextTries, Tries
from bot.aio.retry import ErrorLog
from bot.aio.shield import DrainingGroup
from bot.clock import Clock
from bot.errors import Outage

UNEXPECTED_TRIES = 8  # some two minutes
MAX_KNOWN_ITEMS = 500  # items in memory; of more, the database is asked for some at a time
HOLDS_ITS_QUEUE = 3  # tries; an item that still fails then no longer holds up those behind it
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class WorkerSetting:
    """The clock and the bounds that the workers of an engine have in common.

    All items are read from the database every `reread_every` seconds. When a worker is cancelled, what has
    begun may end within `drain` seconds.
    """

    clock: Clock
    liveness: Liveness
    reread_every: float
    drain: float


@dataclass(eq=False)
class KeyedWorker(Generic[_T]):
    """Works through items, of which each has a key: never on two with the same key at once.

    It is notified of each item that has changed, and keeps those that it `wants` in memory. `find(limit)`
    reads them from the database, oldest first: at the start, when `reread` was called, after an unexpected
    error, when there are more than fit into memory, and from time to time (`setting`).

    `work(item, tries)` returns None when it is done with an item, or in how many seconds to try again
    (`tries`: how often that was said before). An item that meets unexpected errors again and again is left to
    `give_up`. In the log, an item is called by `noun` and its key.

    Items with the same `queue` go one after the other, in order; without `queue`, they are independent. Those
    with the lowest `rank` go first, and those that are not `ready` are left out. An item whose `news` have
    changed since the last try is tried again at once. `pause(item, waited)` is asked before each try for how
    many seconds to leave the item alone instead, `waited` seconds after the first.
    With `shared_by`, groups and their members share the worker (see `FairShare`). Work that is `free` to be
    interrupted ends at once when the worker is cancelled.
    """

    what: str
    find: Callable[[int], Awaitable[list[_T]]]
    work: Callable[[_T, int], Awaitable[float | None]]
    give_up: Callable[[_T], Awaitable[None]]
    _: KW_ONLY
    key: Callable[[_T], Hashable]
    noun: str
    size: int
    setting: WorkerSetting
    patience: float = OPERATION_TIMEOUT
    free: Callable[[_T], bool] = lambda _: False
    wants: Callable[[_T], bool] = lambda _: True
    ready: Callable[[_T], bool] = lambda _: True
    rank: Callable[[_T], int] | None = None
    queue: Callable[[_T], Hashable] | None = None
    news: Callable[[_T], Hashable] = lambda _: None
    pause: Callable[[_T, float], float | None] = lambda _item, _waited: None
    shared_by: Callable[[_T], Who] | None = None

    def __post_init__(self) -> None:
        self._clock, self._liveness = self.setting.clock, self.setting.liveness
        self._wake_up = WakeUp()
        self._queue = self.queue or self.key
        self._turns = FairShare(self.size)
        self._known: dict[Hashable, _T] = {}  # in order
        self._more = False  # whether the database has items that are not among them
        self._reads_wanted, self._reads_done = 1, 0
        self._next_read = 0.0
        self._next_turn = 0.0  # if nothing wakes the worker before
        self._busy: dict[Hashable, Hashable] = {}  # and their queues
        self._notified: set[Hashable] = set()  # since the last read began
        self._ended: set[Hashable] = set()  # likewise
        self._fresh: set[Hashable] = set()  # notified of since the last try began
        self._tries = NextTries(self._clock)
        self._errors = ErrorLog(self.what, noun=self.noun)

    async def run(self) -> None:
        """Run until cancelled; ends only when all its tasks have."""
        async with DrainingGroup(self.setting.drain) as group:
            await run_forever(self.what, self._wake_up, lambda: self._turn(group))

    def notify(self, item: _T) -> None:
        """Take over an item that has just changed, or forget it if it is not wanted any more."""
        key = self.key(item)
        if self.wants(item):
            self.add(item)
        elif self._known.pop(key, None) is not None:
            self._notified.add(key)
            if key not in self._busy:
                self._tries.forget(key)

    def add(self, item: _T) -> None:
        """Take over an item, whether it is wanted or not."""
        key = self.key(item)
        if key not in self._known and len(self._known) >= MAX_KNOWN_ITEMS:
            self._more = True
        if key in self._known or not self._more:
            self._known[key] = item
            self._notified.add(key)
            self._fresh.add(key)
        self._tries.changed(key, self.news(item))
        # The end of what is being done, or the time of the next try, wakes the worker anyway.
        if key not in self._busy and key not in self._tries.resting:
            self._wake_up.set()

    def waited(self, key: Hashable) -> float:
        """Return the seconds since the first try of an item that is to be tried again; 0.0 for another."""
        return self._tries.waited(key)

    def reread(self) -> None:
        """Read the items from the database again: what is known of them may be out of date."""
        self._reads_wanted += 1
        self._wake_up.set()

    async def _turn(self, group: DrainingGroup) -> float:
        now = self._clock.monotonic()
        asked = self._reads_done < self._reads_wanted or now >= self._next_read
        began = now
        if asked or (self._more and len(self._busy) < self.size):
            await self._reread()
            now = self._clock.monotonic()
        # What is due is begun, or is begun when another has ended, which wakes the worker.
        self._tries.end_due()
        self._begin(group)
        await rest_after(now - began, self.setting.reread_every)
        self._next_turn = min(self._next_read, self._tries.next_at)
        return max(0.0, self._next_turn - self._clock.monotonic())

    async def _reread(self) -> None:
        """Read the items from the database."""
        wanted = self._reads_wanted
        # There is something new among these, however many are in progress or wait for a retry.
        limit = 2 * self.size + len(self._busy) + len(self._tries) if self._more else MAX_KNOWN_ITEMS
        self._notified.clear()
        self._ended.clear()
        with self._liveness.operation(self.what, progress=False):
            found = {self.key(item): item for item in await self.find(limit)}
        # What changed or ended meanwhile, the query may have seen as it was before.
        newer = self._notified | self._ended | self._busy.keys()
        known = {key: self._known[key] for key in self._known if key in newer and key not in found}
        seen = {key: self._known.get(key) if key in newer else item for key, item in found.items()}
        self._known = {key: item for key, item in seen.items() if item is not None} | known
        self._more = len(found) >= limit
        if not self._more:
            self._tries.forget_all_but(self._known.keys() | self._busy.keys())
        self._tries.sync({key: self.news(item) for key, item in self._known.items()}, self._busy)
        self._reads_done = wanted
        self._next_read = self._clock.monotonic() + self.setting.reread_every

    def _begin(self, group: DrainingGroup) -> None:
        # Called whenever one has ended, while hundreds may rest: those cost next to nothing here.
        if len(self._busy) >= self.size:
            return
        held_up = set(self._busy.values())
        for item in self._in_order(self._to_order(held_up)):
            key = self.key(item)
            queue = self._queue(item)
            if key in self._tries.resting:
                held_up.add(queue)
                continue
            if queue not in held_up and self._has_place_for(item):
                held_up.add(queue)
                self._fresh.discard(key)
                if (pause := self.pause(item, self.waited(key))) is not None:
                    self._try_later(item, self._tries[key], pause)
                    continue
                self._busy[key] = queue
                if self.shared_by is not None:
                    self._turns.began(self.shared_by(item))
                work = self._do(item, self._tries[key])
                task = group.create_task(work, name=f"{self.what} {key}", at_once=self.free(item))
                self._liveness.watch(task, f"{self.what} ({self.noun} {key})", self.patience)
            if len(self._busy) >= self.size:
                return

    def _to_order(self, held_up: Collection[Hashable]) -> list[_T]:
        """Return the items that can be begun, with those at rest that may hold some of them up.

        `held_up` are the queues of what is being done.
        """
        free: dict[Hashable, Hashable] = {}  # and their queues
        for key in self._idle():
            item = self._known[key]
            if self.ready(item) and (queue := self._queue(item)) not in held_up:
                free[key] = queue
        if not free:
            return []
        chosen = free.keys() | self._holding(set(free.values()))
        return [item for key, item in self._known.items() if key in chosen]

    def _holding(self, queues: Collection[Hashable]) -> set[Hashable]:
        """Return the items at rest that hold up those behind them in one of these queues."""
        if self._queue is self.key:  # an item at rest holds up no other
            return set()
        return {
            key
            for key in self._tries.resting
            if self._tries[key].count <= HOLDS_ITS_QUEUE
            and key in self._known
            and self._queue(self._known[key]) in queues
        }

    def _in_order(self, items: list[_T]) -> Iterable[_T]:
        if self.rank is not None:
            items.sort(key=self.rank)
        return items if self.shared_by is None else self._turns.in_turn(items, self.shared_by)

    async def _do(self, item: _T, tries: Tries) -> bool:
        """Return whether there was an unexpected error, which is logged."""
        key = self.key(item)
        again: float | None
        failures, failed = 0, False
        try:
            if tries.failures < UNEXPECTED_TRIES:
                again = await self.work(item, tries.count)
            else:
                again = await self.give_up(item)
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            again = self._errors.failed(error, key)
            self._reads_wanted += 1  # it may not be as it was thought to be
            # An outage says nothing against the item.
            failures = tries.failures if isinstance(error, Outage) else tries.failures + 1
            failed = True
        else:
            self._errors.succeeded(key)
        finally:
            del self._busy[key]
            if self.shared_by is not None:
                self._turns.ended(self.shared_by(item))
            self._ended.add(key)
        if again is None or key not in self._known:
            self._tries.forget(key)
            if key not in self._fresh:
                self._known.pop(key, None)
        else:
            self._try_later(item, tries, again, failures)
            if self._tries.next_at < self._next_turn:
                self._wake_up.set()
        if self._has_more_to_do():
            self._wake_up.set()
        return failed

    def _try_later(self, item: _T, tries: Tries, pause: float, failures: int = 0) -> None:
        """Leave an item alone for `pause` seconds after a try, unless it has changed meanwhile."""
        key = self.key(item)
        self._tries.later(key, tries, pause, self.news(item), self.news(self._known[key]), failures)

    def _idle(self) -> set[Hashable]:
        """Return the items that neither rest nor are in progress."""
        return self._known.keys() - self._tries.resting - self._busy.keys()

    def _has_more_to_do(self) -> bool:
        """Return whether there may be something to begin now that an item has ended."""
        if self._more or self._reads_done < self._reads_wanted:
            return True
        return bool(self._idle())

    def _has_place_for(self, item: _T) -> bool:
        if len(self._busy) >= self.size:
            return False
        return self.shared_by is None or self._turns.may_begin(self.shared_by(item))
