"""Work through items that are passed to it or found in a database, a bounded number at once, one task an
item."""

import itertools
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import KW_ONLY, dataclass
from typing import Generic, TypeVar

from bot.aio.liveness import OPERATION_TIMEOUT, Liveness
from bot.aio.loops import WakeUp, rest_after, run_forever
from bot.aio.retry import ErrorLog
from bot.aio.shield import DrainingGroup
from bot.clock import Clock
from bot.errors import Outage

UNEXPECTED_TRIES = 8  # some two minutes
MAX_KNOWN_ITEMS = (
    500  # items in memory beside those at rest; of more, the database is asked for some at a time
)
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


@dataclass(slots=True)
class _Entry(Generic[_T]):
    """An item, and its tries. It is left alone until `due`, unless its `news` are not those `seen`."""

    item: _T
    changed: int  # the number of the last change that the worker was notified of
    began: float = 0.0  # the first try
    tries: int = 0
    failures: int = 0  # unexpected errors in a row
    due: float = 0.0
    seen: Hashable = None


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
    Work that is `free` to be interrupted ends at once when the worker is cancelled.
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
    rank: Callable[[_T], int] = lambda _: 0
    queue: Callable[[_T], Hashable] | None = None
    news: Callable[[_T], Hashable] = lambda _: None
    pause: Callable[[_T, float], float | None] = lambda _item, _waited: None

    def __post_init__(self) -> None:
        self._clock, self._liveness = self.setting.clock, self.setting.liveness
        self._wake_up = WakeUp()
        self._queue = self.queue or self.key
        self._known: dict[Hashable, _Entry[_T]] = {}  # in order
        self._busy: dict[Hashable, Hashable] = {}  # and their queues
        self._gone: set[Hashable] = set()  # ended or not wanted any more since the last read began
        self._changes = itertools.count(1)
        self._next_read = 0.0
        self._more = False  # whether the database has items that are not known
        self._errors = ErrorLog(self.what, noun=self.noun)

    async def run(self) -> None:
        """Run until cancelled; ends only when all its tasks have."""
        async with DrainingGroup(self.setting.drain) as group:
            await run_forever(self.what, self._wake_up, lambda: self._turn(group))

    def notify(self, item: _T) -> None:
        """Take over an item that has just changed, or forget it if it is not wanted any more."""
        if self.wants(item):
            self.add(item)
        elif self._known.pop(self.key(item), None) is not None:
            self._gone.add(self.key(item))

    def add(self, item: _T) -> None:
        """Take over an item, whether it is wanted or not."""
        key, change = self.key(item), next(self._changes)
        if (entry := self._known.get(key)) is not None:
            entry.item, entry.changed = item, change
        elif len(self._known) >= MAX_KNOWN_ITEMS:
            self._more = True
        elif not self._more:
            self._known[key] = _Entry(item, change)
        self._wake_up.set()

    def waited(self, key: Hashable) -> float:
        """Return the seconds since the first try of an item that is to be tried again; 0.0 for another."""
        entry = self._known.get(key)
        return self._clock.monotonic() - entry.began if entry is not None and entry.tries else 0.0

    def reread(self) -> None:
        """Read the items from the database again: what is known of them may be out of date."""
        self._next_read = 0.0
        self._wake_up.set()

    async def _turn(self, group: DrainingGroup) -> float:
        began = self._clock.monotonic()
        waiting = sum(self._may_begin(key, entry, began) for key, entry in self._known.items())
        if began >= self._next_read or (self._more and waiting < self.size):
            await self._reread()
        now = self._clock.monotonic()
        self._begin(group, now)
        await rest_after(now - began, self.setting.reread_every)
        # What is due already is begun when something else ends, which wakes the worker.
        due = (entry.due for entry in self._known.values() if entry.due > now)
        return max(0.0, min([self._next_read, *due]) - self._clock.monotonic())

    async def _reread(self) -> None:
        """Read the items from the database."""
        self._next_read = self._clock.monotonic() + self.setting.reread_every
        self._gone.clear()
        start = next(self._changes)
        # There is something new among these, however many are in progress or wait for a retry.
        limit = MAX_KNOWN_ITEMS + len(self._busy) + sum(entry.tries > 0 for entry in self._known.values())
        try:
            with self._liveness.operation(self.what, progress=False):
                found = {self.key(item): item for item in await self.find(limit)}
        except Exception:
            self._next_read = 0.0  # it is still to be done
            raise
        # What changed or ended meanwhile, the query may have seen as it was before.
        kept = {
            key: entry
            for key, entry in self._known.items()
            if key in found or key in self._busy or entry.changed > start
        }
        for key, item in found.items():
            if (entry := kept.get(key)) is None:
                if key not in self._gone:
                    kept[key] = _Entry(item, 0)
            elif key not in self._busy and entry.changed <= start:
                if entry.seen != self.news(entry.item):
                    entry.due = 0.0  # its news are still to be tried, which the item found may not tell of
                entry.item = item
        self._known = {key: kept[key] for key in (*found, *(kept.keys() - found.keys())) if key in kept}
        self._more = len(found) >= limit

    def _begin(self, group: DrainingGroup, now: float) -> None:
        """Begin what is due, in turn, as far as there is room."""
        held_up = set(self._busy.values())
        for key, entry in sorted(self._known.items(), key=lambda one: self.rank(one[1].item)):
            if len(self._busy) >= self.size:
                return
            item, queue = entry.item, self._queue(entry.item)
            if key in self._busy or queue in held_up or not self.ready(item):
                continue
            if not self._may_begin(key, entry, now):
                if entry.tries <= HOLDS_ITS_QUEUE:
                    held_up.add(queue)
                continue
            held_up.add(queue)
            if (pause := self.pause(item, self.waited(key))) is not None:
                self._later(entry, now + pause, self.news(item), now)
                continue
            self._busy[key] = queue
            group.create_task(self._do(key, entry), name=f"{self.what} {key}", at_once=self.free(item))

    def _may_begin(self, key: Hashable, entry: _Entry[_T], now: float) -> bool:
        return key not in self._busy and (entry.due <= now or entry.seen != self.news(entry.item))

    async def _do(self, key: Hashable, entry: _Entry[_T]) -> None:
        item, began, change = entry.item, self._clock.monotonic(), next(self._changes)
        again: float | None
        seen = self.news(item)
        try:
            with self._liveness.operation(f"{self.what} ({self.noun} {key})", self.patience):
                given_up = entry.failures >= UNEXPECTED_TRIES
                again = await (self.give_up(item) if given_up else self.work(item, entry.tries))
        except Exception as error:  # noqa: BLE001 - logged; the others must not notice
            again = self._errors.failed(error, key)
            entry.failures += not isinstance(error, Outage)  # which says nothing against the item
            self.reread()  # it may not be as it was thought to be
        else:
            self._errors.succeeded(key)
            entry.failures = 0
        finally:
            del self._busy[key]
            self._gone.add(key)
            self._wake_up.set()
        known = self._known.get(key)
        if again is not None:
            self._later(entry, self._clock.monotonic() + again, seen, began)
        elif known is not None and known.changed > change:
            self._known[key] = _Entry(known.item, known.changed)
        else:
            self._known.pop(key, None)

    def _later(self, entry: _Entry[_T], due: float, seen: Hashable, began: float) -> None:
        """Leave an item alone until then, unless it has changed meanwhile."""
        if not entry.tries:
            entry.began = began
        entry.tries += 1
        entry.due, entry.seen = due, seen
