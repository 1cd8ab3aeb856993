"""A job that can't be read is set aside: all others go on, and the operator is told."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, text, update

from bot.credits import ledger
from bot.db import used_once
from bot.jobs import queries, transitions
from bot.jobs.models import JobState, jobs
from bot.servers import privacy
from bot.storage import Storage
from tests.support.jobs import NOW, accepted


async def damage(url: str, column: Column[Any], *where: ColumnElement[bool]) -> None:
    """Break what the column holds; PostgreSQL takes no broken JSON, so there it holds something else."""
    broken = text("""'{"style": '""" if url.startswith("sqlite") else "'[1]'")
    async with used_once(url, writes=True) as connection:
        await connection.execute(update(column.table).where(*where).values({column: broken}))
        await connection.commit()


async def test_a_broken_job_is_left_out_of_every_list_and_the_others_take_its_place(
    storage: Storage, url: str
) -> None:
    first, broken, last = [await accepted(storage) for _ in range(3)]
    await damage(url, jobs.c.inputs, jobs.c.id == broken.id)
    async with storage.read() as transaction:
        assert [job.id for job in await transaction.run(queries.in_states, [JobState.RECEIVED], 2)] == [
            first.id,
            last.id,
        ]
        page = await transaction.run(queries.page, first.guild_id, None, 0, 10)
        assert [job.id for job in page] == [last.id, first.id]
        assert set(await transaction.run(queries.some, [first.id, broken.id])) == {first.id}
        assert await transaction.run(queries.get, broken.id) is None
        assert (await transaction.run(queries.get, last.id)) is not None
        assert (await transaction.run(ledger.differing)) == []


async def test_a_broken_job_on_a_lane_does_not_stop_the_lane(storage: Storage, url: str) -> None:
    broken, good = [await accepted(storage) for _ in range(2)]
    async with storage.write() as transaction:
        for job in (broken, good):
            await transaction.run(transitions.advance, job.id, JobState.RECEIVED, JobState.WAITING, at=NOW)
    await damage(url, jobs.c.inputs, jobs.c.id == broken.id)
    async with storage.read() as transaction:
        assert [job.id for job, _ in await transaction.run(queries.on_lanes)] == [good.id]


async def test_many_broken_jobs_before_a_good_one_do_not_hide_it(storage: Storage, url: str) -> None:
    *broken, good = [await accepted(storage) for _ in range(12)]
    await damage(url, jobs.c.inputs, jobs.c.id.in_([job.id for job in broken]))
    async with storage.read() as transaction:
        assert [job.id for job in await transaction.run(queries.in_states, [JobState.RECEIVED], 2)] == [
            good.id
        ]


async def test_what_was_written_for_a_broken_job_is_erased_all_the_same(storage: Storage, url: str) -> None:
    broken = await accepted(storage)
    async with storage.write() as transaction:
        await transaction.run(transitions.advance, broken.id, JobState.RECEIVED, JobState.CANCELLED, at=NOW)
    later = NOW + timedelta(days=1)
    await damage(url, jobs.c.inputs, jobs.c.id == broken.id)
    async with storage.write() as transaction:
        scrubbed = await transaction.run(privacy.scrub, later, before=later)
    assert scrubbed == [[broken.source_file, broken.output_file]]
    async with storage.read() as transaction:
        job = await transaction.run(queries.get, broken.id)
    assert job is not None
    assert job.inputs == {}


async def test_each_is_logged_once_without_what_is_in_it_and_named(
    storage: Storage, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = await accepted(storage, inputs={"prompt": "a secret"})
    await damage(url, jobs.c.inputs)
    with caplog.at_level(logging.ERROR):
        async with storage.read() as transaction:
            assert await transaction.run(queries.get, job.id) is None
            assert await transaction.run(queries.get, job.id) is None
    assert storage.unreadable == {job.id}
    (record,) = caplog.records
    assert (record.levelname, f"Job {job.id} can't be read" in record.getMessage()) == ("ERROR", True)
    assert "secret" not in caplog.text
