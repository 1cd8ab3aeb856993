"""Decoder processes at less cost: such as outlive a test, and such as are forked off the test's own process.

To start one takes longer than most tests take, and a third of the processor time of a short life of the bot.
A forked one has pipes, limits and an end of its own; its imports alone are done already.
"""

import asyncio
import atexit
from collections.abc import Coroutine
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple, TypeVar

from bot.media.photo import Photo
from bot.media.pool import DecoderPool

T = TypeVar("T")


class SharedDecoders:
    """The bot's pool of decoder processes, for all tests of a pytest process.

    The pool runs in an event loop of its own, because each test's loop ends with the test.
    """

    async def inspect(self, path: Path) -> Photo:
        return await _answer(_running().pool.inspect(path))

    async def check(self, path: Path) -> bytes:
        return await _answer(_running().pool.check(path))

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        return await _answer(_running().pool.fit(path, limit, made=made))

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        return await _answer(_running().pool.label(path, limit, words, corner))

    async def split(
        self, before: Path, after: Path, limit: int, labels: tuple[str, str], *, moves: bool = False
    ) -> bytes | None:
        return await _answer(_running().pool.split(before, after, limit, labels, moves=moves))


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
