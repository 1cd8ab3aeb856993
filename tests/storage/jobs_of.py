"""Jobs to store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from bot.model import Job, JobState, Window
from bot.storage import Storage, Transaction

NOW = datetime(2026, 5, 4, 10, 30, 15, 123456, tzinfo=UTC)
TODAY = Window(NOW - timedelta(hours=10), NOW + timedelta(hours=10))

_numbers = count(1)


def a_job(**values: Any) -> Job:
    job = Job(
        id=f"{next(_numbers):016x}",
        guild_id=1,
        channel_id=2,
        user_id=3,
        tool="studio",
        inputs={"mode": "image", "prompt": "a cat"},
        variant="mode=image",
        source=None,
        private=False,
        state=JobState.RECEIVED,
        version=1,
        created_at=NOW,
        changed_at=NOW,
        estimate=5,
        reserved=0,
        settled=0,
    )
    return replace(job, **values)


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
