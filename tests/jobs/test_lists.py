"""Which photos come in next, and what becomes of a job whose row is damaged."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, text, update

from bot.connections import used_once
from bot.db import Database
from bot.jobs import queries, thumbnails, transitions
from bot.jobs.models import JobState, jobs
from bot.servers import privacy
from tests.support.jobs import NOW, accepted, added


async def damage(either: str, column: Column[Any], *where: ColumnElement[bool]) -> None:
    """Break what the column holds; PostgreSQL takes no broken JSON, so there it holds something else."""
    broken = text("""'{"style": '""" if either.startswith("sqlite") else "'[1]'")
    async with used_once(either, writes=True) as connection:
        await connection.execute(update(column.table).where(*where).values({column: broken}))
        await connection.commit()


async def discarded(*_: str | None) -> None: ...


LATER = NOW + timedelta(days=31)
ENDS: dict[str, Callable[[Database, str], Awaitable[Any]]] = {
    "retention": lambda db, _: db.write(privacy.scrub, LATER, before=LATER),
    "thirty days": lambda db, _: privacy.sweep(db, discarded, LATER, 2 * (LATER - NOW)),
    "its server": lambda db, _: db.write(privacy.erase_server, 1),
    "its member": lambda db, _: privacy.erase_member(db, discarded, 3, NOW),
    "its withholding": lambda db, job_id: db.write(transitions.withhold_result, job_id, None, NOW),
    "its message": lambda db, _: db.write(
        lambda session: thumbnails.drop(session, thumbnails.shown_in(session, [5]))
    ),
    "its set": lambda db, _: db.write(thumbnails.drop_own, 3, "5" * 16),
}


@pytest.mark.promise
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.usefixtures("either")
async def test_a_thumbnail_goes_with_its_result(db: Database, end: str) -> None:
    states = dict.fromkeys(ENDS, JobState.SUCCEEDED) | {"its withholding": JobState.REVIEWING}
    made: dict[str, Any] = {"result_message_id": 5, "announced_at": NOW, "set_id": "5" * 16}
    job, other = [
        await added(db, state=JobState.RUNNING, guild_id=which, user_id=2 + which, **made) for which in (1, 2)
    ]
    for one in (job, other):
        await db.write(transitions.succeed, one.id, "file", "image", NOW, thumbnail=b"small")
        await db.write(transitions.change, one.id, state=states[end], announced_at=NOW)
    assert await db.read(thumbnails.of, [job.id, other.id]) == {job.id: b"small", other.id: b"small"}
    await ENDS[end](db, job.id)
    assert job.id not in await db.read(thumbnails.of, [job.id])


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
