"""Which files come in next, which give way, and what is remembered about opening them."""

import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, ColumnElement, text, update

from bot.credits import ledger
from bot.db import Database, Fence, used_once
from bot.domain.guilds import Plan
from bot.domain.shards import SHARD_BITS, Shards
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import JobState, jobs
from bot.reasons import Reason
from bot.servers import keys, privacy
from tests.support.jobs import NOW, PHOTO, accepted, added

LATER = NOW + timedelta(minutes=5)
IN_MESSAGE = replace(PHOTO, message_id=7, channel_id=8)


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


async def test_a_server_without_room_waits_with_its_photos_and_not_with_its_words(db: Database) -> None:
    photos = [await added(db, guild_id=1, source=PHOTO) for _ in range(2)]
    words = await added(db, guild_id=1)
    other = await added(db, guild_id=2, source=PHOTO)
    assert await db.write(transitions.wait_for_room, photos[0].id, LATER, NOW) == NOW
    assert await to_take_in(db) == [words.id, other.id]
    assert await db.read(queries.next_to_take_in) == (LATER, True)
    both = {words.id, other.id, *(one.id for one in photos)}
    assert set(await to_take_in(db, late=True)) == set(await to_take_in(db, freed=True)) == both
    # Since when it lacks room counts from the last photo that has found some.
    await db.write(transitions.wait_for_room, photos[1].id, LATER, NOW + timedelta(seconds=9))
    after = NOW + timedelta(seconds=10)
    assert await db.write(transitions.wait_for_room, photos[0].id, LATER, after) == NOW
    await db.write(transitions.found_room, 1, after)
    assert set(await to_take_in(db)) == both
    assert await db.write(transitions.wait_for_room, photos[0].id, LATER, LATER) == after


async def test_results_are_fetched_by_turns_of_the_servers(db: Database) -> None:
    values: dict[str, Any] = {"state": JobState.RUNNING, "output_url": "https://studii.example/o"}
    many = [await added(db, guild_id=1, **values) for _ in range(3)]
    other = await added(db, guild_id=2, **values)
    found, _ = await db.read(queries.to_download, NOW, 3)
    assert [job.id for job in found] == [many[0].id, other.id, many[1].id]
    await db.write(transitions.later, other.id, LATER)
    found, due = await db.read(queries.to_download, NOW, 3)
    assert ([job.id for job in found], due) == ([job.id for job in many], LATER)


async def test_while_a_key_is_refused_only_photos_that_stand_in_no_message_are_fetched(
    db: Database,
) -> None:
    stays = [await added(db, guild_id=1, source=IN_MESSAGE) for _ in range(2)]
    fleeting = await added(db, guild_id=1, source=PHOTO)
    await held(db, 1)
    assert await to_take_in(db) == [fleeting.id]
    # When the key is to be tried again, one is fetched; none if another job can try it.
    assert await to_take_in(db, late=True) == [stays[0].id, fleeting.id]
    waiting = await added(db, guild_id=1, state=JobState.WAITING)
    assert await to_take_in(db, late=True) == [fleeting.id]
    await db.write(transitions.advance, waiting.id, JobState.WAITING, JobState.CANCELLED, at=NOW)
    await db.write(key_holds.end, 1, NOW)
    after = await db.write(queries.get, stays[1].id)
    assert await to_take_in(db) == [stays[0].id, stays[1].id, fleeting.id]
    assert after is not None
    assert (after.held, after.not_before) == (None, None)


async def test_what_may_give_way_is_held_fetched_and_in_a_message(db: Database) -> None:
    values: dict[str, Any] = {"state": JobState.WAITING, "source_file": "a.source.png"}
    gives = await added(db, guild_id=1, source=IN_MESSAGE, **values)
    await added(db, guild_id=1, source=PHOTO, **values)
    await added(db, guild_id=1, source=IN_MESSAGE, state=JobState.WAITING)
    await added(db, guild_id=2, source=IN_MESSAGE, held=Reason.text("Studii can't be reached."), **values)
    await held(db, 1)
    assert [job.id for job in await db.read(queries.held_with_photos)] == [gives.id]


async def test_jobs_are_listed_in_the_order_of_their_acceptance_though_the_clock_went_back(
    db: Database,
) -> None:
    first = await added(db, state=JobState.WAITING, created_at=NOW)
    await added(db, state=JobState.SUCCEEDED)
    second = await added(db, state=JobState.RECEIVED, created_at=NOW - timedelta(hours=1))
    third = await added(db, state=JobState.WAITING, created_at=NOW)
    found = await db.read(queries.in_states, {JobState.WAITING, JobState.RECEIVED})
    assert [job.id for job in found] == [first.id, second.id, third.id]
    assert await db.read(queries.in_states, []) == []


class Holding(Fence):
    """The right of a process that holds these shards for now."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards

    def hold(self, shards: Shards) -> None:
        self.shards = shards


async def test_a_process_lists_the_jobs_of_those_servers_that_it_serves_at_the_moment(
    db: Database, either: str
) -> None:
    jobs = [await added(db, state=JobState.RECEIVED, guild_id=shard << SHARD_BITS) for shard in range(2)]
    fence = Holding(Shards(2, frozenset({0})))
    async with Database.open(either, fence=fence) as half:
        for held in ({0}, {1}, {0}, {0, 1}):
            fence.hold(Shards(2, frozenset(held)))
            found = await half.read(queries.to_take_in, NOW, 10)
            assert {job.id for job in found} == {jobs[n].id for n in held}


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


async def test_each_is_logged_once_without_what_is_in_it_and_named(
    db: Database, either: str, caplog: pytest.LogCaptureFixture
) -> None:
    job = await accepted(db, inputs={"prompt": "a secret"})
    await damage(either, jobs.c.inputs)
    with caplog.at_level(logging.ERROR):
        assert await db.read(queries.get, job.id) is None
        assert await db.read(queries.get, job.id) is None
    assert db.unreadable == {job.id}
    (record,) = caplog.records
    assert (record.levelname, f"Job {job.id} can't be read" in record.getMessage()) == ("ERROR", True)
    assert "secret" not in caplog.text
