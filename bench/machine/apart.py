"""Run a part of a measurement in a process that contains only the bot."""

import asyncio
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any


async def apart(measure: Callable[..., Any], *values: Any) -> Any:
    """Return `measure(*values)`, called in a new process, and run there if it is a coroutine.

    Raises RuntimeError if the process dies.
    """
    mine, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_answer, args=(theirs, measure, values))
    process.start()
    try:
        while not mine.poll():
            if not process.is_alive():
                raise RuntimeError("the measured process died")
            await asyncio.sleep(0.05)
        return mine.recv()
    finally:
        process.kill()
        process.join()


def _answer(answer: Connection, measure: Callable[..., Any], values: tuple[Any, ...]) -> None:
    measured = measure(*values)
    answer.send(asyncio.run(measured) if asyncio.iscoroutine(measured) else measured)
