"""Protect work from cancellation."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import TypeVar

from bot.errors import Outage

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


async def shielded(work: Awaitable[_T], *, patience: float | None = None) -> _T:
    """Wait until `work` has ended, even if the task is cancelled meanwhile; then raise the cancellation.

    With `patience`, the work is cancelled too if it takes longer than that after a cancellation, in seconds.
    """
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            # Only a cancelled wait has a limit. A new cancellation begins it anew.
            await asyncio.wait({task}, timeout=None if cancelled is None else patience)
            if not task.done():
                task.cancel()
                patience = None
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (error := task.exception()) is not None:
        told = None if isinstance(error, Outage) else error  # which whoever raised it has logged
        _log.error("An operation that had to finish before stopping failed: %s", error, exc_info=told)
    raise cancelled
