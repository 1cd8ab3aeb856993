"""The memory budget of pictures that are open at the same time."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

_A_PLACE = 64 * 1024 * 1024  # bytes that count as one position in the queue of large pictures


class MemoryBudget:
    """Grants memory by what each picture needs. Only one large picture is open at a time.

    Small ones are opened beside a large one if there is room. A large one whose turn it is reserves its room,
    so that small ones can't delay it for ever. Of waiting large ones the smaller go first, but each overtakes
    a larger one only a few times.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._small = 0
        self._large = 0
        self._is_large_open = False
        self._line: list[float] = []
        self._arrivals = itertools.count()
        self._freed = asyncio.Event()

    @asynccontextmanager
    async def small(self, size: int) -> AsyncGenerator[None]:
        """Hold room for a small picture."""
        await self._until(lambda: self._small + self._large + size <= self._total)
        self._small += size
        try:
            yield
        finally:
            self._small -= size
            self._notify()

    @asynccontextmanager
    async def large(self, size: int) -> AsyncGenerator[None]:
        """Hold room for the only large picture."""
        await self._turn(next(self._arrivals) + size / _A_PLACE)
        self._large = size
        try:
            await self._until(lambda: self._small + size <= self._total)
            yield
        finally:
            self._large = 0
            self._is_large_open = False
            self._notify()

    async def _turn(self, place: float) -> None:
        self._line.append(place)
        try:
            await self._until(lambda: not self._is_large_open and min(self._line) == place)
            self._is_large_open = True
        finally:
            self._line.remove(place)
            self._notify()

    async def _until(self, has_room: Callable[[], bool]) -> None:
        while not has_room():
            await self._freed.wait()

    def _notify(self) -> None:
        self._freed.set()
        self._freed = asyncio.Event()
