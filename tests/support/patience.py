"""How long tests wait for what a busy machine is slow at."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

T = TypeVar("T")
PATIENCE = 120.0  # seconds; the event comes within one unless the machine is busy
_LOOK_EVERY = 0.03


async def until(look: Callable[[], T | Awaitable[T | None] | None], what: str = "what was to come") -> T:
    """Call `look` until its result is true, and return it. Raises TimeoutError after `PATIENCE`."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE
    while True:
        began = loop.time()
        seen = look()
        if isinstance(seen, Awaitable):
            seen = await cast("Awaitable[T | None]", seen)
        if seen:
            return seen
        ended = loop.time()
        if ended > deadline:
            raise TimeoutError(f"Waited {PATIENCE:.0f} s for {what}.")
        await asyncio.sleep(max(_LOOK_EVERY, 4 * (ended - began)))  # what is looked at needs the machine, too
