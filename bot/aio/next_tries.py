"""Remember how often items were tried, and which of them are left alone until their next try."""

import math
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass

from bot.clock import Clock


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries of an item."""

    began: float  # the first of them
    count: int = 0
    failures: int = 0  # unexpected errors in a row
    not_before: float = 0.0
    seen: Hashable = None  # the item's news at the last try


class NextTries:
    """The tries of items, by their keys. An item rests until its next try is due, or its news are others."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tries: dict[Hashable, Tries] = {}
        self.resting = set[Hashable]()
        self.next_at = math.inf  # no try of those that rest is due before

    def __len__(self) -> int:
        return len(self._tries)

    def __getitem__(self, key: Hashable) -> Tries:
        """Return the item's tries so far. The first may begin now."""
        return self._tries.get(key) or Tries(self._clock.monotonic())

    def waited(self, key: Hashable) -> float:
        """Return the seconds since the item's first try, or 0.0 if it was not tried."""
        return self._clock.monotonic() - self[key].began if key in self._tries else 0.0

    def later(
        self, key: Hashable, tries: Tries, pause: float, seen: Hashable, news: Hashable, failures: int = 0
    ) -> None:
        """Leave the item alone for `pause` seconds after a try, unless its `news` are not those `seen`."""
        at = self._clock.monotonic() + pause
        self._tries[key] = Tries(tries.began, tries.count + 1, failures, at, seen)
        if self._rests(key, news):
            self.resting.add(key)
            self.next_at = min(self.next_at, at)

    def changed(self, key: Hashable, news: Hashable) -> None:
        """End the rest of an item whose news are others now."""
        if key in self.resting and not self._rests(key, news):
            self.resting.discard(key)

    def forget(self, key: Hashable) -> None:
        """Forget an item that is done."""
        self._tries.pop(key, None)
        self.resting.discard(key)

    def forget_all_but(self, keys: Collection[Hashable]) -> None:
        """Forget all items but these. `sync` has to follow."""
        self._tries = {key: tries for key, tries in self._tries.items() if key in keys}

    def end_due(self) -> None:
        """End the rests that last no longer."""
        now = self._clock.monotonic()
        if now >= self.next_at:
            self._rest({key for key in self.resting if self._tries[key].not_before > now})

    def sync(self, news: Mapping[Hashable, Hashable], busy: Collection[Hashable]) -> None:
        """Decide anew which items rest: none that is `busy`, and all of which no news are known."""
        idle = self._tries.keys() - set(busy)
        self._rest({key for key in idle if key not in news or self._rests(key, news[key])})

    def _rests(self, key: Hashable, news: Hashable) -> bool:
        tries = self._tries[key]
        return tries.not_before > self._clock.monotonic() and tries.seen == news

    def _rest(self, keys: set[Hashable]) -> None:
        self.resting = keys
        self.next_at = min((self._tries[key].not_before for key in keys), default=math.inf)
