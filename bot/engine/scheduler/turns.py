"""Whose job is begun next, where servers share a number of workers. Pure."""

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

_T = TypeVar("_T")


class Turns:
    """Servers take turns, however many jobs each has.

    A server alone gets half of the workers, a second one half of the rest, and so on: somebody new nearly
    always finds one that is free.
    """

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._busy: Counter[Hashable] = Counter()
        self._last: dict[Hashable, int] = {}  # server -> number of its last turn
        self._turn = 0

    def may_begin(self, server: Hashable) -> bool:
        """Return whether a worker may begin a job of the server now."""
        free = self._workers - self._busy.total()
        return free > 0 and self._busy[server] < max(1, free)

    def began(self, server: Hashable) -> None:
        self._turn += 1
        self._last[server] = self._turn
        self._busy[server] += 1

    def ended(self, server: Hashable) -> None:
        self._busy[server] -= 1
        if not self._busy[server]:
            del self._busy[server]

    def in_turn(self, jobs: Sequence[_T], server_of: Callable[[_T], Hashable]) -> list[_T]:
        """Return the jobs in the order in which to try them: the first of each server, then the second of
        each; of these, whose server's last turn is longest ago goes first."""
        servers = {server_of(job) for job in jobs}
        self._last = {server: turn for server, turn in self._last.items() if server in servers}
        taken: Counter[Hashable] = Counter()
        ranked: list[tuple[int, int, int, _T]] = []
        for number, job in enumerate(jobs):
            server = server_of(job)
            ranked.append((taken[server], self._last.get(server, 0), number, job))
            taken[server] += 1
        return [job for *_, job in sorted(ranked, key=lambda one: one[:3])]
