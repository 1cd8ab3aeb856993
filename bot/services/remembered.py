"""Facts of servers that are read again and again, kept in memory for a while."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from bot.aio.batching import Batcher
from bot.aio.bounded import BoundedDict
from bot.clock import Clock
from bot.storage import Storage, Transaction

MAX_REMEMBERED_VALUES = 5000
REMEMBERED_FOR = 30.0  # seconds: where there are several processes, another one may change it
MAX_SERVERS_READ_TOGETHER = 500  # by those who ask at the same moment
_T = TypeVar("_T")


class RememberedByServer(Generic[_T]):
    """Values of servers, each with a query now and then. What this process changes, it must `set`.

    `read` reads a server's value, and `noted` is called with each that is remembered.
    """

    def __init__(
        self,
        what: str,
        storage: Storage,
        clock: Clock,
        read: Callable[[Transaction, int], Awaitable[_T]],
        noted: Callable[[int, _T], None] = lambda _server, _value: None,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._read = read
        self._noted = noted
        self._known = BoundedDict[int, tuple[float, _T]](MAX_REMEMBERED_VALUES)
        self._changes = 0
        # Of a crowd that comes at the same moment, one asks the database.
        self._reading = Batcher(what, self._read_all, max_group=MAX_SERVERS_READ_TOGETHER)

    async def of(self, guild_id: int) -> _T:
        """Return the server's value."""
        known = self._known.get(guild_id)
        if known is not None and self._clock.monotonic() < known[0]:
            return known[1]
        return await self._reading.ask(guild_id)

    def set(self, guild_id: int, value: _T) -> None:
        """Remember what the server's value was changed to."""
        self._changes += 1
        self._remember(guild_id, value)

    async def _read_all(self, take: Callable[[], Sequence[int]]) -> list[_T]:
        changes = self._changes
        async with self._storage.read() as transaction:
            guild_ids = take()
            found = {one: await self._read(transaction, one) for one in set(guild_ids)}
        # What was changed meanwhile may have been read as it was before.
        if changes == self._changes:
            for guild_id, value in found.items():
                self._remember(guild_id, value)
        return [found[one] for one in guild_ids]

    def _remember(self, guild_id: int, value: _T) -> None:
        self._known[guild_id] = (self._clock.monotonic() + REMEMBERED_FOR, value)
        self._noted(guild_id, value)
