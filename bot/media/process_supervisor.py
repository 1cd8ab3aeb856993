"""Start decoder processes, keep those that have nothing to do for a while, and end them."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from bot.media.decoder_process import DecoderProcess

IDLE = 20.0  # seconds after which a process that has nothing to do is ended; the last one stays
_MAY_KEEP = 48 * 1024 * 1024  # that a process holds on to between two pictures


class ProcessSupervisor:
    """The processes of a pool."""

    def __init__(self) -> None:
        self.is_closed = False
        self._processes: set[DecoderProcess] = set()
        self._idle: dict[DecoderProcess, asyncio.TimerHandle] = {}
        self._chores: set[asyncio.Task[Any]] = set()

    async def close(self) -> None:
        """End all processes, and return when they and all chores have ended."""
        self.is_closed = True
        for timer in self._idle.values():
            timer.cancel()
        self._idle.clear()
        for process in list(self._processes):
            self._end(process)
        while self._chores:
            await asyncio.wait(self._chores)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[DecoderProcess]:
        """Take a process for one request. It is ended after an error or cancellation."""
        process = await self._take()
        try:
            yield process
        except BaseException:
            self._end(process)
            raise
        if process.resting - process.resting_at_start > _MAY_KEEP:
            self._end(process)
        else:
            self._idle[process] = asyncio.get_running_loop().call_later(IDLE, self._tire, process)

    async def _take(self) -> DecoderProcess:
        while self._idle:
            process, timer = self._idle.popitem()
            timer.cancel()
            if process.is_alive:
                return process
            self._end(process)
        if self.is_closed:
            raise OSError("the decoders are stopped")
        process = await DecoderProcess.start()
        self._processes.add(process)
        return process

    def _tire(self, process: DecoderProcess) -> None:
        if len(self._idle) > 1:
            del self._idle[process]
            self._end(process)

    def _end(self, process: DecoderProcess) -> None:
        self._processes.discard(process)
        process.kill()
        self.later(process.reaped())

    def later(self, chore: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Do the chore in a task, for which `close` waits."""
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)
        return task
