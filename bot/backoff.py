"""Pauses after failures in a row. Pure."""

from collections.abc import Sequence


def backoff(failures: int, first: float, bound: float) -> float:
    """Return the seconds to wait after `failures` in a row (1 or more): `first`, doubled up to `bound`."""
    return min(bound, first * 2 ** min(failures - 1, 20))


def delay_at(delays: Sequence[float], failures: int) -> float:
    """Return the delay after `failures` in a row (1 or more). The last one is repeated."""
    return delays[min(failures, len(delays)) - 1]
