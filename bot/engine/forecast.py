"""When what waits will be sent. Pure.

The lane's way is gone through in thought: jobs end after durations that are spread over their distribution
as evenly as can be (a mean alone would let all that began together end together), each end takes a look and
makes room for the next in line, and each request takes a slot of the window for a period.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class Start:
    """One of the line: requests until it is submitted, what it needs of the lane, and how long it lasts."""

    job_id: str
    requests: int
    needs: float
    lasts: float
    not_before: float = 0.0  # seconds from now


class Slots:
    """The requests of the window: `free` says in how many seconds each one may be sent again."""

    def __init__(self, free: Iterable[float], period: float) -> None:
        self._free = list(free)
        self._period = period
        heapq.heapify(self._free)

    def take(self, at: float) -> float:
        """Send one then, or as soon as there is a slot. Returns when."""
        at = max(at, self._free[0])
        heapq.heapreplace(self._free, at + self._period)
        return at


def spread() -> Iterator[float]:
    """Shares between 0 and 1, evenly spread however many are taken."""
    share = 0.5
    while True:
        yield share
        share = (share + _GOLDEN) % 1.0


def forecast(
    line: Sequence[Start],
    running: Sequence[tuple[float, float]],
    capacity: float,
    slots: Slots,
) -> dict[str, float]:
    """Seconds until each of the line is submitted.

    `running`: seconds that each has left, and what it needs.
    """
    ends = list(running)
    heapq.heapify(ends)
    load = sum(needs for _, needs in ends)
    at = 0.0
    starts: dict[str, float] = {}
    for one in line:
        while ends and load + one.needs > capacity:
            end, needs = heapq.heappop(ends)
            at, load = slots.take(max(at, end)), load - needs  # the look that sees its end
        for _ in range(one.requests):
            at = slots.take(at)
        starts[one.job_id] = max(at, one.not_before)
        heapq.heappush(ends, (at + one.lasts, one.needs))
        load += one.needs
    return starts
