"""Decoder processes at less cost: such as outlive a test, and such as are forked off the test's own process.

To start one takes longer than most tests take, and a third of the processor time of a short life of the bot.
A forked one has pipes, limits and an end of its own; its imports alone are done already.
"""

import asyncio
import atexit
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, TypeVar

import pytest

from bot.media.photo import Photo
from bot.media.pool import DecoderPool

T = TypeVar("T")


class SharedDecoders:
    """The bot's pool of decoder processes, for all tests of a pytest process.

    The pool runs in an event loop of its own, because each test's loop ends with the test.
    """

    async def inspect(self, path: Path) -> Photo:
        return await _answer(_running().pool.inspect(path))

    async def check(self, path: Path) -> None:
        await _answer(_running().pool.check(path))

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        return await _answer(_running().pool.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        return await _answer(_running().pool.label(path, limit, words, corner))

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        return await _answer(_running().pool.split(before, after, limit, labels))


class _Running(NamedTuple):
    loop: asyncio.AbstractEventLoop
    pool: DecoderPool


@cache
def _running() -> _Running:
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="decoders", daemon=True)
    thread.start()

    async def opened() -> DecoderPool:
        return await DecoderPool().__aenter__()

    pool = asyncio.run_coroutine_threadsafe(opened(), loop).result()

    def end() -> None:
        asyncio.run_coroutine_threadsafe(pool.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    atexit.register(end)
    return _Running(loop, pool)


async def _answer(asking: Coroutine[Any, Any, T]) -> T:
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, _running().loop))


_Pipes = list[tuple[int, int]]
_MAX_FILES = 4096


class _Forked:
    """A decoder's process, with as much of `asyncio.subprocess.Process` as its owner uses."""

    def __init__(self, pid: int, stdin: asyncio.StreamWriter, *read: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdin = stdin
        self.stdout, self.stderr = read
        self.returncode: int | None = None
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        self._handle = os.pidfd_open(pid)
        self._loop.add_reader(self._handle, self._end)

    def kill(self) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int | None:
        await self._ended.wait()
        return self.returncode

    def _end(self) -> None:
        self._loop.remove_reader(self._handle)
        os.close(self._handle)
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        self._ended.set()


def fork_decoders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pools of decoders fork their processes off this one."""
    from bot.media.decoder.serve import serve
    from bot.media.pool import DecoderProcess

    async def start(cls: Any) -> Any:
        pipes, parent = [os.pipe() for _ in range(3)], os.getpid()
        pid = os.fork()
        if not pid:
            try:
                _become_a_decoder(parent, pipes)
                serve()
            finally:
                os._exit(0)
        started = cls(await _owned(pid, pipes))
        await started.get_ready()
        return started

    monkeypatch.setattr(DecoderProcess, "start", classmethod(start))


def _become_a_decoder(parent: int, pipes: _Pipes) -> None:
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number, fd in enumerate((pipes[0][0], pipes[1][1], pipes[2][1])):
        os.dup2(fd, number)
    os.closerange(3, _MAX_FILES)
    os.environ.clear()
    sys.argv = ["decoder", str(parent)]
    sys.stdin = os.fdopen(0)


async def _owned(pid: int, pipes: _Pipes) -> _Forked:
    (its_stdin, stdin), (stdout, its_stdout), (stderr, its_stderr) = pipes
    for fd in (its_stdin, its_stdout, its_stderr):
        os.close(fd)
    loop = asyncio.get_running_loop()
    flow: Any = asyncio.streams.FlowControlMixin  # pyright: ignore[reportAttributeAccessIssue]
    transport, protocol = await loop.connect_write_pipe(flow, os.fdopen(stdin, "wb", 0))
    readers: list[asyncio.StreamReader] = []
    for fd in (stdout, stderr):
        readers.append(reader := asyncio.StreamReader())
        await loop.connect_read_pipe(
            lambda reader=reader: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
        )
    return _Forked(pid, asyncio.StreamWriter(transport, protocol, None, loop), *readers)
