"""The bases of services."""

from contextlib import AbstractAsyncContextManager

from bot.clock import Clock
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.jobs.models import Job
from bot.jobs.queries import in_server
from bot.storage import Storage, Transaction


async def job_in_server(transaction: Transaction, guild_id: int, job_id: str) -> Job:
    """Return the server's job, as `in_server` does."""
    return await transaction.run(in_server, guild_id, job_id)


class Service:
    """The actions of people about one subject, in transactions of `storage`."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def _changing(self) -> AbstractAsyncContextManager[Transaction]:
        """Change the database for a person who waits for the answer."""
        return self._storage.write(patience=COMMAND_WRITE_TIMEOUT)
