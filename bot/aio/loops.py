"""Loops that run as long as the process: what wakes them, and how they survive an error."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bot.aio.retry import ErrorLog

REST_FACTOR = 5.0
MIN_REST_SECONDS = 0.01  # no loop turns faster than this
MAX_REST_SECONDS = 15.0


class WakeUp:
    """Wakes a loop. Setting it while the loop is busy is not lost, and several are one."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float | None) -> None:
        """Wait until it is set, or until `seconds` have passed."""
        if not self._event.is_set():  # a busy loop is woken before it waits, and needs no timer
            with suppress(TimeoutError):
                async with asyncio.timeout(None if seconds is None else max(seconds, MIN_REST_SECONDS)):
                    await self._event.wait()
        self._event.clear()


async def run_forever(what: str, wake_up: WakeUp, turn: Callable[[], Awaitable[float | None]]) -> None:
    """Call `turn` each time `wake_up` is set, and when the seconds that it returned have passed.

    An unexpected error in it is logged, and the loop continues after a pause.
    """
    errors = ErrorLog(what)
    while True:
        try:
            rest = await turn()
        except Exception as error:  # noqa: BLE001 - logged; one error must not end the loop
            await asyncio.sleep(errors.failed(error))
            continue
        errors.succeeded()
        await wake_up.wait(rest)


async def rest_after(seconds: float, bound: float) -> None:
    """Sleep in proportion to a query that took `seconds`, at most `bound` seconds and never long, so that a
    loop which is woken all the time leaves the database some room."""
    longest = min(bound, MAX_REST_SECONDS)
    await asyncio.sleep(min(max(seconds * REST_FACTOR, MIN_REST_SECONDS), longest))
