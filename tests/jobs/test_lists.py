"""Which photos come in next, and what becomes of a job whose row is damaged."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, text, update

from bot.db import Database, used_once
from bot.jobs import queries, transitions
from bot.jobs.models import JobState, jobs
from bot.servers import privacy
from tests.support.jobs import NOW, accepted


async def damage(either: str, column: Column[Any], *where: ColumnElement[bool]) -> None:
    """Break what the column holds; PostgreSQL takes no broken JSON, so there it holds something else."""
    broken = text("""'{"style": '""" if either.startswith("sqlite") else "'[1]'")
    async with used_once(either, writes=True) as connection:
        await connection.execute(update(column.table).where(*where).values({column: broken}))
        await connection.commit()


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
