"""Makes a failing run small: a shorter time, fewer people, fewer faults."""

import re
from collections.abc import Callable

from tests.simulation import troubles
from tests.simulation.run import ACTORS, simulate


def shrink(seed: int, hours: float, pace: float, told: Callable[[str], None]) -> tuple[float, frozenset[str]]:
    """Return the hours and what is left out of the smallest run that breaks one of the same promises."""
    wanted = {kind(line) for line in simulate(seed, hours, pace=pace).broken}
    if not wanted:
        told(f"seed {seed} breaks no promise in {hours:.2f} hours")
        return hours, frozenset()
    told(f"looking for: {', '.join(sorted(wanted))}")

    def fails(hours: float, without: frozenset[str]) -> bool:
        broken = simulate(seed, hours, pace=pace, without=without).broken
        return bool(wanted & {kind(line) for line in broken})

    while hours > 0.1 and fails(hours * 0.6, frozenset()):
        hours *= 0.6
        told(f"in {hours:.2f} hours, too")
    without = frozenset[str]()
    for name in [*ACTORS, *troubles.names()]:
        if not name.startswith("admin") and fails(hours, without | {name}):
            without |= {name}
            told(f"without {name}, too")
    return hours, without


def kind(line: str) -> str:
    """Return a broken promise without its numbers."""
    return re.sub(r"\b(?=[0-9a-f]*\d)[0-9a-f]{6,}\b|\d+(\.\d+)?", "#", line.partition(": ")[2])
