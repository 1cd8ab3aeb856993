"""Jobs that are in the database."""

from typing import Any

from bot.domain import Job
from bot.storage import Storage
from tests.support.jobs import a_job


async def added(storage: Storage, **values: Any) -> Job:
    job = a_job(**values)
    async with storage.write() as transaction:
        await transaction.jobs.add_all([job])
    return job


async def stored(storage: Storage, job: Job) -> Job:
    async with storage.read() as transaction:
        found = await transaction.jobs.get(job.id)
    assert found is not None
    return found
