"""How much memory may be taken by pictures that are open at the same time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager


class Memory:
    """Hands out memory by what each picture was found to need; large pictures come one at a time.

    Small ones need not wait for a large one as long as there is room beside it. A large one that waits keeps
    its room from then on, so that a stream of small ones does not hold it up for ever.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._small = 0
        self._large = 0
        self._one_large = asyncio.Lock()
        self._waiting: set[asyncio.Future[None]] = set()

    @asynccontextmanager
    async def small(self, size: int) -> AsyncGenerator[None]:
        """Within: room for a small picture."""
        await self._until(lambda: self._small + self._large + size <= self._total)
        self._small += size
        try:
            yield
        finally:
            self._small -= size
            self._tell()

    @asynccontextmanager
    async def large(self, size: int) -> AsyncGenerator[None]:
        """Within: room for a large picture, of which there is no other."""
        async with self._one_large:
            self._large = size
            try:
                await self._until(lambda: self._small + size <= self._total)
                yield
            finally:
                self._large = 0
                self._tell()

    async def _until(self, has_room: Callable[[], bool]) -> None:
        while not has_room():
            told = asyncio.get_running_loop().create_future()
            self._waiting.add(told)
            try:
                await told
            finally:
                self._waiting.discard(told)

    def _tell(self) -> None:
        for told in self._waiting:
            if not told.done():
                told.set_result(None)
