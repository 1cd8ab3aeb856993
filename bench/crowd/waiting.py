"""Waits with a bound for what no event tells of."""

import asyncio
from collections.abc import Callable
from time import monotonic


async def until(over: Callable[[], bool], patience: float, every: float = 0.02) -> bool:
    """Return whether it was over within `patience` seconds."""
    deadline = monotonic() + patience
    while not over():
        if monotonic() > deadline:
            return False
        await asyncio.sleep(every)
    return True
