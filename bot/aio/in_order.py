"""Order: what is prepared at the same time goes on in the order in which it came."""

import asyncio
from collections.abc import Awaitable, Hashable
from typing import TypeVar

_T = TypeVar("_T")


class InOrder:
    """Lets preparations run at once, and their callers go on in order of arrival.

    A caller that must come before others asks here before it first waits for anything.
    """

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Future[None]] = {}

    async def keep(self, key: Hashable, work: Awaitable[_T]) -> _T:
        """Return the result of `work` once all who came before with that key have theirs.

        The caller goes on before those who came later, as far as it gets without waiting. An error is raised
        at once, and those who came later don't wait for its caller.
        """
        before, mine = self._last.get(key), asyncio.get_running_loop().create_future()
        self._last[key] = mine
        try:
            result = await work
            if before is not None and not before.done():
                await asyncio.shield(before)
            return result
        finally:
            if before is None or before.done():
                self._let_on(key, mine)
            else:
                before.add_done_callback(lambda _: self._let_on(key, mine))

    def _let_on(self, key: Hashable, mine: "asyncio.Future[None]") -> None:
        mine.set_result(None)
        if self._last.get(key) is mine:
            del self._last[key]
