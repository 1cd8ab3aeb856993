"""Finds every moment at which a task waits, and ends the process at one of them.

A point is a task that is suspended or goes on, and the lines of the bot that it is in. For tasks that a
library's work was wrapped into they are the lines that made the task. Nobody keeps a list of points: they
come from running.
"""

import asyncio
import inspect
import os
import signal
from collections import Counter
from collections.abc import Coroutine, Generator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).parents[2]
BOT = (str(ROOT / "bot"), str(ROOT / "cogs"))


@dataclass
class Tracer:
    """Counts points; at the `nth` time that `point` comes, the process dies as by kill -9."""

    point: str | None = None
    nth: int = 1
    seen: Counter[str] = field(default_factory=Counter[str])

    def install(self) -> None:
        """From now on, all tasks that the running loop makes for the bot are traced."""
        asyncio.get_running_loop().set_task_factory(self._make)

    def _make(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> "asyncio.Task[Any]":
        made_by, is_tests = _callers()
        steps = coro if is_tests else _Steps(coro, made_by, self)
        return asyncio.Task(steps, loop=loop, **options)

    def pass_by(self, point: str) -> None:
        self.seen[point] += 1
        if point == self.point and self.seen[point] == self.nth:
            os.kill(os.getpid(), signal.SIGKILL)


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine whose every step is seen."""

    def __init__(self, coro: Any, made_by: str, tracer: Tracer) -> None:
        self._coro = coro
        self._made_by = made_by
        self._tracer = tracer

    def send(self, value: Any) -> Any:
        self._tracer.pass_by(f"goes on in {self._where()}")
        result = self._coro.send(value)
        self._tracer.pass_by(f"waits in {self._where()}")
        return result

    def throw(self, *error: Any) -> Any:
        self._tracer.pass_by(f"is interrupted in {self._where()}")
        result = self._coro.throw(*error)
        self._tracer.pass_by(f"waits in {self._where()}")
        return result

    def close(self) -> None:
        self._coro.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError  # a task sends and throws

    def _where(self) -> str:
        lines: list[str] = []
        one = self._coro
        while one is not None:
            code: CodeType | None = getattr(one, "cr_code", None)
            frame = getattr(one, "cr_frame", None)
            name = None if code is None or frame is None else _name(code)
            if name is not None and frame is not None:
                lines.append(f"{name}:{frame.f_lineno}")
            one = getattr(one, "cr_await", None)
        if lines:
            return " > ".join(lines)
        return f"{self._made_by} > ({getattr(self._coro, '__qualname__', type(self._coro).__name__)})"


@cache
def _name(code: CodeType) -> str | None:
    """What a function of the bot is called; None: it is not the bot's."""
    return f"{Path(code.co_filename).stem}.{code.co_name}" if code.co_filename.startswith(BOT) else None


def _callers() -> tuple[str, bool]:
    """The bot's lines that are running now, and whether it is the test itself that makes them run."""
    lines: list[str] = []
    frame = inspect.currentframe()
    is_tests = False
    while frame is not None:
        code = frame.f_code
        name = _name(code)
        if name is not None:
            lines.append(f"{name}:{frame.f_lineno}")
        is_tests = is_tests or code.co_name in {"_until_over", "_live"}
        frame = frame.f_back
    return " > ".join(reversed(lines)), is_tests
