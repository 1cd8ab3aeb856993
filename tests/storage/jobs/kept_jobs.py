"""Jobs that are in the database."""

from typing import Any

from bot.jobs import queries
from bot.jobs.models import Job
from bot.storage import Storage
from tests.support.jobs import a_job, keep_job


async def added(storage: Storage, **values: Any) -> Job:
    job = a_job(**values)
    async with storage.write() as transaction:
        await transaction.run(keep_job, job)
    return job


async def stored(storage: Storage, job: Job) -> Job:
    async with storage.read() as transaction:
        found = await transaction.run(queries.get, job.id)
    assert found is not None
    return found
