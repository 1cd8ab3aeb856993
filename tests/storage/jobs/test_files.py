"""Which files come in next, which give way, and what is remembered about opening them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.domain.guilds import Plan
from bot.jobs import holds as key_holds, queries, transitions
from bot.jobs.models import Job, JobState
from bot.reasons import Reason
from bot.servers import keys
from bot.storage import Storage
from tests.support.jobs import NOW, PHOTO, a_job, keep_job

LATER = NOW + timedelta(minutes=5)
IN_MESSAGE = replace(PHOTO, message_id=7, channel_id=8)


async def added(storage: Storage, **values: Any) -> Job:
    job = a_job(**values)
    async with storage.write() as transaction:
        await transaction.run(keep_job, job)
    return job


async def held(storage: Storage, guild_id: int) -> None:
    """Studii has refused the server's key."""
    async with storage.write() as transaction:
        key = await transaction.run(keys.add, guild_id, "lane", "abcd", Plan.PRO, b"sealed", NOW)
        await transaction.run(key_holds.put_hold, guild_id, key.id, Reason.text("Refused."), LATER)
        await transaction.run(key_holds.hold_waiting, guild_id, key.id, Reason.text("Refused."), LATER)


async def to_take_in(storage: Storage, *, limit: int = 10, late: bool = False, full: Any = ()) -> list[str]:
    async with storage.read() as transaction:
        return [
            job.id for job in await transaction.run(queries.to_take_in, limit, LATER if late else NOW, full)
        ]


async def test_the_first_photo_of_each_server_comes_before_the_second_of_any(storage: Storage) -> None:
    many = [await added(storage, guild_id=1, source=PHOTO) for _ in range(5)]
    other = await added(storage, guild_id=2, source=PHOTO)
    await added(storage, guild_id=3, state=JobState.RUNNING)
    assert await to_take_in(storage, limit=3) == [many[0].id, other.id, many[1].id]


async def test_a_members_second_photo_comes_after_the_first_of_another_member(storage: Storage) -> None:
    many = [await added(storage, guild_id=1, user_id=3, source=PHOTO) for _ in range(5)]
    late = await added(storage, guild_id=1, user_id=4, source=PHOTO)
    other = await added(storage, guild_id=2, user_id=3, source=PHOTO)
    assert await to_take_in(storage, limit=4) == [many[0].id, other.id, late.id, many[1].id]


async def test_a_server_without_room_waits_with_its_photos_and_not_with_its_words(storage: Storage) -> None:
    await added(storage, guild_id=1, source=PHOTO)
    words = await added(storage, guild_id=1)
    other = await added(storage, guild_id=2, source=PHOTO)
    assert await to_take_in(storage, full=[1]) == [words.id, other.id]


async def test_results_are_fetched_by_turns_of_the_servers(storage: Storage) -> None:
    values: dict[str, Any] = {"state": JobState.RUNNING, "output_url": "https://studii.example/o"}
    many = [await added(storage, guild_id=1, **values) for _ in range(3)]
    other = await added(storage, guild_id=2, **values)
    async with storage.read() as transaction:
        found = [job.id for job in await transaction.run(queries.to_download, 3)]
    assert found == [many[0].id, other.id, many[1].id]


async def test_while_a_key_is_refused_only_photos_that_stand_in_no_message_are_fetched(
    storage: Storage,
) -> None:
    stays = [await added(storage, guild_id=1, source=IN_MESSAGE) for _ in range(2)]
    fleeting = await added(storage, guild_id=1, source=PHOTO)
    await held(storage, 1)
    assert await to_take_in(storage) == [fleeting.id]
    # When the key is to be tried again, one is fetched; none if another job can try it.
    assert await to_take_in(storage, late=True) == [stays[0].id, fleeting.id]
    waiting = await added(storage, guild_id=1, state=JobState.WAITING)
    assert await to_take_in(storage, late=True) == [fleeting.id]
    async with storage.write() as transaction:
        await transaction.run(transitions.advance, waiting.id, JobState.WAITING, JobState.CANCELLED, at=NOW)
        await transaction.run(key_holds.end, 1, NOW)
        after = await transaction.run(queries.get, stays[1].id)
    assert await to_take_in(storage) == [stays[0].id, stays[1].id, fleeting.id]
    assert after is not None
    assert (after.held, after.not_before) == (None, None)


async def test_what_may_give_way_is_held_fetched_and_in_a_message(storage: Storage) -> None:
    values: dict[str, Any] = {"state": JobState.WAITING, "source_file": "a.source.png"}
    gives = await added(storage, guild_id=1, source=IN_MESSAGE, **values)
    await added(storage, guild_id=1, source=PHOTO, **values)
    await added(storage, guild_id=1, source=IN_MESSAGE, state=JobState.WAITING)
    await added(
        storage, guild_id=2, source=IN_MESSAGE, held=Reason.text("Studii can't be reached."), **values
    )
    await held(storage, 1)
    async with storage.read() as transaction:
        assert [job.id for job in await transaction.run(queries.held_with_photos)] == [gives.id]
