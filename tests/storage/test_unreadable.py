"""A row that can't be read is set aside: all others go on, and the operator is told."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, text, update

from bot.credits import ledger
from bot.db import used_once
from bot.domain.guilds import Plan
from bot.features import photo_rules
from bot.features.photo_rules import PhotoChannelKind, Preset
from bot.jobs import queries, transitions
from bot.jobs.models import JobState, jobs
from bot.rows import metadata
from bot.servers import keys, privacy
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
    async with storage.write() as transaction:
        preset = Preset("virtual-staging", {"style": "modern"})
        await transaction.run(photo_rules.set_channel, 1, 10, PhotoChannelKind.AUTO, preset)
    photo_channels = metadata.tables["photo_channels"]
    for column in (jobs.c.inputs, photo_channels.c.inputs):
        await damage(url, column)
    with caplog.at_level(logging.ERROR):
        async with storage.read() as transaction:
            assert await transaction.run(queries.get, job.id) is None
            assert await transaction.run(queries.get, job.id) is None
            assert await transaction.run(photo_rules.all_rules) == {}
    assert len(storage.unreadable) == 2
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 2
    assert ": jobs 1. " in caplog.records[0].getMessage()
    assert ": photo_channels 1 10. " in caplog.records[1].getMessage()
    assert "secret" not in caplog.text
    assert "style" not in caplog.text


@pytest.mark.usefixtures("file")  # SQLite alone: PostgreSQL takes no broken time
async def test_a_key_that_cannot_be_read_keeps_no_other_from_being_found(storage: Storage, url: str) -> None:
    """The bot looks at all keys when it starts."""
    for guild_id in (1, 2):
        await storage.db.write(keys.add, guild_id, "lane", "abcd", Plan.PRO, b"sealed", NOW)
    async with used_once(url, writes=True) as connection:
        await connection.execute(text("UPDATE studii_keys SET created_at = 'long ago' WHERE guild_id = 1"))
        await connection.commit()
    assert [one.guild_id for one in await storage.db.read(keys.stored)] == [2]
    assert len(storage.unreadable) == 1
