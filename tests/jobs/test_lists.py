"""Which files come in next, which give way, and what is remembered about opening them."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, text, update

from bot.credits import ledger
from bot.db import Database, used_once
from bot.domain.guilds import Plan
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import JobState, jobs
from bot.reasons import Reason
from bot.servers import keys, privacy
from tests.support.jobs import NOW, PHOTO, accepted, added

LATER = NOW + timedelta(minutes=5)


async def held(db: Database, guild_id: int) -> None:
    """Studii has refused the server's key."""
    key = await db.write(keys.add, guild_id, "lane", "abcd", Plan.PRO, b"sealed", NOW)
    await db.write(key_holds.put_hold, guild_id, key.id, Reason.text("Refused."), LATER)
    await db.write(key_holds.hold_waiting, guild_id, key.id, Reason.text("Refused."), LATER)


async def to_take_in(db: Database, *, limit: int = 10, late: bool = False, freed: bool = False) -> list[str]:
    found = await db.read(queries.to_take_in, LATER if late else NOW, limit, freed=freed)
    return [job.id for job in found]


async def test_the_first_photo_of_each_server_comes_before_the_second_of_any(db: Database) -> None:
    many = [await added(db, guild_id=1, source=PHOTO) for _ in range(5)]
    other = await added(db, guild_id=2, source=PHOTO)
    await added(db, guild_id=3, state=JobState.RUNNING)
    assert await to_take_in(db, limit=3) == [many[0].id, other.id, many[1].id]


async def test_a_members_second_photo_comes_after_the_first_of_another_member(db: Database) -> None:
    many = [await added(db, guild_id=1, user_id=3, source=PHOTO) for _ in range(5)]
    late = await added(db, guild_id=1, user_id=4, source=PHOTO)
    other = await added(db, guild_id=2, user_id=3, source=PHOTO)
    assert await to_take_in(db, limit=4) == [many[0].id, other.id, late.id, many[1].id]


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
    assert [job.id for job in await db.read(queries.in_states, [JobState.RECEIVED], 2)] == [
        first.id,
        last.id,
    ]
    page = await db.read(queries.page, first.guild_id, None, 0, 10)
    assert [job.id for job in page] == [last.id, first.id]
    assert set(await db.read(queries.some, [first.id, broken.id])) == {first.id}
    assert await db.read(queries.get, broken.id) is None
    assert (await db.read(queries.get, last.id)) is not None
    assert (await db.read(ledger.differing)) == []


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
