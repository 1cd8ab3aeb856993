"""Moderators are asked about a set once, whichever of its jobs is the last."""

import asyncio
from dataclasses import replace

from bot.jobs import accept, queries, transitions
from bot.jobs.models import Approval, Job, JobState
from bot.servers.notices import NoticeKind
from bot.storage import Storage
from tests.support.jobs import NOW, a_job
from tests.support.posts import open_posts

SET = "5" * 16


async def a_set(storage: Storage, size: int) -> list[Job]:
    jobs = [
        replace(a_job(id=f"{number:016x}"), set_id=SET, approval=Approval.WANTED) for number in range(size)
    ]
    async with storage.write() as transaction:
        await transaction.run(accept.store, jobs, NOW)
    return jobs


async def ready(storage: Storage, job: Job) -> None:
    async with storage.write() as transaction:
        await transaction.run(transitions.make_ready, job.id, None, NOW)


async def cancelled(storage: Storage, job: Job) -> None:
    async with storage.write() as transaction:
        await transaction.run(transitions.cancel, job.id, NOW)


async def test_of_jobs_that_are_ready_at_the_same_time_the_last_asks(storage: Storage) -> None:
    jobs = await a_set(storage, 6)
    await asyncio.gather(
        *(ready(storage, job) for job in jobs[:4]), *(cancelled(storage, job) for job in jobs[4:])
    )
    async with storage.read() as transaction:
        (notice,) = await transaction.run(open_posts)
        found = [job.state for job in await transaction.run(queries.of_set, SET)]
    assert (notice.kind, notice.key) == (NoticeKind.APPROVAL, SET)
    assert found == [JobState.PENDING] * 4 + [JobState.CANCELLED] * 2
