"""Choose whose item is begun next when groups and their members share a number of workers. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from operator import itemgetter
from typing import TypeVar

_T = TypeVar("_T")

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

    def in_turn(self, items: Sequence[_T], who_of: Callable[[_T], Who]) -> list[_T]:
        """Return the items in the order in which to try them.

        The first of each group comes before the second of any; of these, whose group's last turn is longest
        ago goes first. The items of one group are in order by the same rule for its members.
        """
        known: set[Hashable] = set(self._busy)
        for item in items:
            known.update((who := who_of(item), who[0]))
        self._last = {one: turn for one, turn in self._last.items() if one in known}
        return self._ranked(self._ranked(items, who_of), lambda item: who_of(item)[0])

    def _ranked(self, items: Sequence[_T], of: Callable[[_T], Hashable]) -> list[_T]:
        taken: Counter[Hashable] = Counter()
        ranked: list[tuple[int, int, int, _T]] = []
        for number, item in enumerate(items):
            one = of(item)
            ranked.append((taken[one], self._last.get(one, 0), number, item))
            taken[one] += 1
        ranked.sort(key=itemgetter(0, 1, 2))
        return [item for *_, item in ranked]
