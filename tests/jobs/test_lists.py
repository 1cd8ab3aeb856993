"""Which photos come in next, and what becomes of a job whose row is damaged."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, text, update

from bot.credits import ledger
from bot.db import Database, used_once
from bot.jobs import queries, transitions
from bot.jobs.models import JobState, jobs
from bot.servers import privacy
from tests.support.jobs import NOW, PHOTO, accepted, added


async def test_photos_come_in_by_turns_of_servers_and_of_members(db: Database) -> None:
    many = [await added(db, guild_id=1, user_id=3, source=PHOTO) for _ in range(5)]
    late = await added(db, guild_id=1, user_id=4, source=PHOTO)
    other = await added(db, guild_id=2, user_id=3, source=PHOTO)
    await added(db, guild_id=3, state=JobState.RUNNING)
    found = await db.read(queries.to_take_in, NOW, 4, freed=False)
    assert [job.id for job in found] == [many[0].id, other.id, late.id, many[1].id]


async def damage(either: str, column: Column[Any], *where: ColumnElement[bool]) -> None:
    """Break what the column holds; PostgreSQL takes no broken JSON, so there it holds something else."""
    broken = text("""'{"style": '""" if either.startswith("sqlite") else "'[1]'")
    async with used_once(either, writes=True) as connection:
        await connection.execute(update(column.table).where(*where).values({column: broken}))
        await connection.commit()


async def test_a_broken_job_is_left_out_of_every_list_and_the_others_take_its_place(
    db: Database, either: str
) -> None:
    first, broken, last = [await accepted(db) for _ in range(3)]
    await damage(either, jobs.c.inputs, jobs.c.id == broken.id)
    received = await db.read(queries.in_states, [JobState.RECEIVED], 2)
    page = await db.read(queries.page, first.guild_id, None, 0, 10)
    assert [job.id for job in received] == [first.id, last.id]
    assert [job.id for job in page] == [last.id, first.id]
    assert set(await db.read(queries.some, [first.id, broken.id])) == {first.id}
    assert await db.read(queries.get, broken.id) is None
    assert await db.read(ledger.differing) == []


async def test_what_was_written_for_a_broken_job_is_erased_all_the_same(db: Database, either: str) -> None:
    broken = await accepted(db)
    await db.write(transitions.advance, broken.id, JobState.RECEIVED, JobState.CANCELLED, at=NOW)
    later = NOW + timedelta(days=1)
    await damage(either, jobs.c.inputs, jobs.c.id == broken.id)
    scrubbed = await db.write(privacy.scrub, later, before=later)
    assert scrubbed == [[broken.source_file, broken.output_file]]
    job = await db.read(queries.get, broken.id)
    assert job is not None
    assert job.inputs == {}
