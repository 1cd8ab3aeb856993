"""Choose whose item is begun next when groups and their members share a number of workers. Pure."""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import TypeVar

_T = TypeVar("_T")
_V = TypeVar("_V")

Who = tuple[Hashable, Hashable]
"""A group, and a member of it."""


class FairShare:
    """Groups take turns, however many items each has, and so do the members of each.

    A group alone gets half of the workers, a second one half of the rest, and so on: a new group nearly
    always finds one that is free. A member gets half of what the group has left, for the same reason.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._busy: Counter[Hashable] = Counter()  # of groups and of members
        self._last: dict[Hashable, int] = {}  # group or member -> number of the last turn
        self._turn = 0
        self._total = 0

    def may_begin(self, who: Who) -> bool:
        """Return whether a worker may begin an item of the member now."""
        free = self._workers - self._total
        left = max(1, free) - self._busy[who[0]]  # for the group
        return free > 0 and left > 0 and self._busy[who] < max(1, left // 2)

    def began(self, who: Who) -> None:
        self._turn += 1
        self._total += 1
        for one in (who[0], who):
            self._last[one] = self._turn
            self._busy[one] += 1

    def ended(self, who: Who) -> None:
        self._total -= 1
        for one in (who[0], who):
            self._busy[one] -= 1
            if not self._busy[one]:
                del self._busy[one]

    def in_turn(self, items: Iterable[_T], who_of: Callable[[_T], Who]) -> Iterator[_T]:
        """Return the items in the order in which to try them.

        The first of each group comes before the second of any; of these, whose group's last turn is longest
        ago goes first. The items of one group are in order by the same rule for its members.
        """
        groups: dict[Hashable, dict[Hashable, list[_T]]] = {}  # and their members
        for item in items:
            who = who_of(item)
            groups.setdefault(who[0], {}).setdefault(who, []).append(item)
        known = {*self._busy, *groups, *chain.from_iterable(groups.values())}
        self._last = {one: turn for one, turn in self._last.items() if one in known}
        return _one_of_each([_one_of_each(self._by_turn(own)) for own in self._by_turn(groups)])

    def _by_turn(self, found: Mapping[Hashable, _V]) -> list[_V]:
        """Return what groups or members have; of those whose last turn is longest ago first."""
        return [found[one] for one in sorted(found, key=lambda one: self._last.get(one, 0))]


def _one_of_each(lines: Iterable[Iterable[_T]]) -> Iterator[_T]:
    """Yield the first item of each line, then the second of each, and so on."""
    left = deque(map(iter, lines))
    while left:
        line = left.popleft()
        for item in islice(line, 1):
            yield item
            left.append(line)
