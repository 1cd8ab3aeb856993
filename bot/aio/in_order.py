"""Order: tasks that prepare at the same time continue in the order in which they came."""

import asyncio
from collections.abc import Hashable
from contextlib import suppress

WAIT_FOR_EARLIER = 8.0  # seconds; a later answer would be worse than one out of turn


class PlaceInOrder:
    """The place of one who came. It is given up by taking one's turn, or by leaving."""

    def __init__(self, line: "list[PlaceInOrder]") -> None:
        self._line = line
        self.given_up = False
        self.reached = asyncio.Event()
        line.append(self)
        line[0].reached.set()

    async def turn(self) -> None:
        """Return once all who came before have had their turn or left, or have been waited for too long.

        The caller continues before those who came later, as far as it gets without waiting.
        """
        try:
            if not self.given_up and not self.reached.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(WAIT_FOR_EARLIER):
                        await self.reached.wait()
        finally:
            self.leave()

    def leave(self) -> None:
        """Let those who came later continue, as soon as all who came before have gone."""
        self.given_up = True
        while self._line and self._line[0].given_up:
            self._line.pop(0).reached.set()
        if self._line:
            self._line[0].reached.set()


class InOrder:
    """Lets those who came with one key prepare at once, and continue in the order in which they came."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, list[PlaceInOrder]] = {}  # one for each server that was ever heard of

    def arrive(self, key: Hashable) -> PlaceInOrder:
        """Return the next place. To be asked for before anything is waited for."""
        return PlaceInOrder(self._lines.setdefault(key, []))
