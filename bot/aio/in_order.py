"""Order: tasks that prepare at the same time continue in the order in which they came."""

import asyncio
from collections.abc import Hashable

WAIT_FOR_EARLIER = 8.0  # seconds; a later answer would be worse than one out of turn


class PlaceInOrder:
    """The place of one who came. It is given up by taking one's turn, or by leaving."""

    def __init__(self, order: "InOrder", key: Hashable, before: "PlaceInOrder | None") -> None:
        self._order = order
        self._key = key
        self._before = None if before is None else before.passed
        self.passed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._given_up = False

    async def turn(self) -> None:
        """Return once all who came before have had their turn or left, or have been waited for too long.

        The caller continues before those who came later, as far as it gets without waiting.
        """
        try:
            if not self._given_up and self._before is not None and not self._before.done():
                await asyncio.wait((self._before,), timeout=WAIT_FOR_EARLIER)
        finally:
            self.leave()

    def leave(self) -> None:
        """Let those who came later continue, as soon as all who came before have gone."""
        if self._given_up:
            return
        self._given_up = True
        if self._before is None or self._before.done():
            self._pass()
        else:
            self._before.add_done_callback(lambda _: self._pass())

    def _pass(self) -> None:
        self.passed.set_result(None)
        self._order.forget(self._key, self)


class InOrder:
    """Lets those who came with one key prepare at once, and continue in the order in which they came."""

    def __init__(self) -> None:
        self._last: dict[Hashable, PlaceInOrder] = {}

    def arrive(self, key: Hashable) -> PlaceInOrder:
        """Return the next place. To be asked for before anything is waited for."""
        self._last[key] = place = PlaceInOrder(self, key, self._last.get(key))
        return place

    def forget(self, key: Hashable, place: PlaceInOrder) -> None:
        """Forget the place, which has been given up, if it is the last one."""
        if self._last.get(key) is place:
            del self._last[key]
