"""Pauses after failures in a row. Pure."""


def backoff(failures: int, first: float, bound: float, *, at_least: float = 0.0) -> float:
    """Return the seconds to wait after `failures` in a row (1 or more): doubled from `first` up to `bound`.

    `at_least` is the pause that the other side asked for. `bound` limits it as well.
    """
    return min(bound, max(at_least, first * 2 ** min(failures - 1, 20)))
