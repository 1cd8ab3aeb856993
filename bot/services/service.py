"""The bases of services."""

from contextlib import AbstractAsyncContextManager

from bot.clock import Clock
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.storage import Storage, Transaction


class Service:
    """The actions of people about one subject, in transactions of `storage`."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def _changing(self) -> AbstractAsyncContextManager[Transaction]:
        """Change the database for a person who waits for the answer."""
        return self._storage.write(patience=COMMAND_WRITE_TIMEOUT)
