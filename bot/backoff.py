"""Pauses after failures in a row. Pure."""

from collections.abc import Sequence


def backoff(failures: int, first: float, bound: float, *, at_least: float = 0.0) -> float:
    """Return the seconds to wait after `failures` in a row (1 or more): doubled from `first` up to `bound`.

    `at_least` is the pause that the other side asked for. `bound` limits it as well.
    """
    return min(bound, max(at_least, first * 2 ** min(failures - 1, 20)))


def delay_at(delays: Sequence[float], failures: int) -> float:
    """Return the delay after `failures` in a row (1 or more). The last one is repeated."""
    return delays[min(failures, len(delays)) - 1]
