"""What the health server reads of the running parts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vitals:
    """Functions that read the state of the running parts."""

    alive: Callable[[], bool]
    gateway: Callable[[], bool]
    oldest_due_poll: Callable[[], float]
    lanes: Callable[[], Mapping[str, float]]
    spool: Callable[[], tuple[int, int]] = lambda: (0, 0)
