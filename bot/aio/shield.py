"""Protect work from cancellation."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self, TypeVar

from bot.errors import Outage

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


async def shielded(work: Awaitable[_T]) -> _T:
    """Wait until `work` has ended, even if the task is cancelled meanwhile; then raise the cancellation."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled() and (error := task.exception()) is not None:
        told = None if isinstance(error, Outage) else error  # which was logged where it was raised
        _log.error("An operation that had to finish before stopping failed: %s", error, exc_info=told)
    raise cancelled


@asynccontextmanager
async def opened(path: Path, mode: Literal["rb", "wb"]) -> AsyncGenerator[BinaryIO]:
    """Open a file in a thread, and close it at the end. What is written has to be flushed before.

    A thread can't be cancelled: it is waited for, so that no file stays open.
    """
    opening = asyncio.ensure_future(asyncio.to_thread(path.open, mode))
    try:
        yield await shielded(opening)
    finally:
        if opening.exception() is None:
            with suppress(OSError):  # a full disk, which the writing has met
                opening.result().close()


class DrainingGroup:
    """A group of tasks like `asyncio.TaskGroup`. If it is cancelled, they may end by themselves for at most
    `patience` seconds, except for those that are to be cancelled `at_once`."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._group = asyncio.TaskGroup()
        self._ending = set[asyncio.Task[Any]]()
        self._hasty = set[asyncio.Task[Any]]()

    def create_task(
        self, work: Coroutine[Any, Any, _T], *, name: str, at_once: bool = False
    ) -> asyncio.Task[_T]:
        """Begin a task."""
        tasks = self._hasty if at_once else self._ending
        task = self._group.create_task(work, name=name)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if error is not None:
                await shielded(self._drain())
        finally:
            await self._group.__aexit__(kind, error, traceback)

    async def _drain(self) -> None:
        for task in self._hasty:
            task.cancel()
        if self._ending:
            await asyncio.wait(self._ending, timeout=self._patience)
