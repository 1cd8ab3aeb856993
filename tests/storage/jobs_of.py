"""Jobs that are in the database."""

from datetime import timedelta
from typing import Any

from bot.domain import Job, Window
from bot.storage import Storage, Transaction
from tests.support.jobs import NOW, a_job

TODAY = Window(NOW - timedelta(hours=10), NOW + timedelta(hours=10))


async def accepted(storage: Storage, **values: Any) -> Job:
    """A job with its estimate reserved."""
    job = a_job(**values)
    async with storage.write() as transaction:
        await transaction.jobs.add(job)
        return await transaction.ledger.reserve(job, NOW)


async def accept_within(transaction: Transaction, job: Job, limit: int) -> bool:
    """Check and reserve as one step, as a command does it."""
    await transaction.ledger.lock(job.guild_id)
    usage = await transaction.ledger.usage(job.guild_id, TODAY)
    if usage.spent + job.estimate > limit:
        return False
    await transaction.jobs.add(job)
    await transaction.ledger.reserve(job, NOW)
    return True
