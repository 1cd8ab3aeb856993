"""Outputs, rendered once each on demand, in a worker thread."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from sandbox.studii.jobs import Job, Output
from sandbox.studii.render import render
from sandbox.studii.render.source import trouble_with


class Outputs:
    """Owns the thread that draws; close it."""

    def __init__(self, long_side: int) -> None:
        self._long_side = long_side
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="studii-render")
        self._made: dict[str, asyncio.Future[Output]] = {}

    async def of(self, job: Job) -> Output:
        """Return the output of a job.

        A caller that goes away does not stop the drawing for the others.
        """
        if job.outcome.output is not None:
            return job.outcome.output
        if job.id not in self._made:
            loop = asyncio.get_running_loop()
            self._made[job.id] = loop.run_in_executor(
                self._thread, render, job.request, job.source, job.seed, self._long_side
            )
        return await asyncio.shield(self._made[job.id])

    async def trouble_with(self, source: bytes) -> str | None:
        """Return why no output can be made of a source, or None."""
        return await asyncio.to_thread(trouble_with, source)

    async def close(self) -> None:
        for future in self._made.values():
            future.cancel()
        await asyncio.to_thread(self._thread.shutdown, wait=True, cancel_futures=True)
