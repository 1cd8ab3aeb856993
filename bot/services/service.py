"""The bases of services."""

from contextlib import AbstractAsyncContextManager

from bot.catalog import Catalog
from bot.clock import Clock
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.domain import Job
from bot.errors import Refused
from bot.languages import lazy
from bot.storage import Storage, Transaction

UNKNOWN_JOB = lazy("There's no such job here. `/jobs` shows yours.")


async def job_in_server(transaction: Transaction, guild_id: int, job_id: str) -> Job:
    """Return the server's job. Raises `Refused` if it has none of that id: other servers' are none of its."""
    job = await transaction.jobs.get(job_id)
    if job is None or job.guild_id != guild_id:
        raise Refused(UNKNOWN_JOB)
    return job


class Service:
    """The actions of people about one subject, in transactions of `storage`."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    def _changing(self) -> AbstractAsyncContextManager[Transaction]:
        """Change the database for a person who waits for the answer."""
        return self._storage.write(patience=COMMAND_WRITE_TIMEOUT)


class ToolService(Service):
    """A service that knows the tools."""

    def __init__(self, storage: Storage, catalog: Catalog, clock: Clock) -> None:
        super().__init__(storage, clock)
        self._catalog = catalog
