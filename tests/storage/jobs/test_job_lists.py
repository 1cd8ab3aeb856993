"""Lists of jobs: in which order, and whose."""

from datetime import timedelta

import pytest

from bot.db import Fence
from bot.domain.shards import SHARD_BITS, Shards
from bot.jobs import cards, queries, transitions
from bot.jobs.cards import CardShown
from bot.jobs.models import JobState
from bot.storage import Storage
from tests.storage.jobs.kept_jobs import added, stored
from tests.support.jobs import NOW


async def test_jobs_are_listed_in_the_order_of_their_acceptance_though_the_clock_went_back(
    storage: Storage,
) -> None:
    first = await added(storage, state=JobState.WAITING, created_at=NOW)
    await added(storage, state=JobState.SUCCEEDED)
    second = await added(storage, state=JobState.RECEIVED, created_at=NOW - timedelta(hours=1))
    third = await added(storage, state=JobState.WAITING, created_at=NOW)
    async with storage.read() as transaction:
        found = await transaction.run(queries.in_states, {JobState.WAITING, JobState.RECEIVED})
        assert [job.id for job in found] == [first.id, second.id, third.id]
        assert await transaction.run(queries.in_states, []) == []


async def test_cards_of_jobs_that_have_ended_are_brought_up_to_date_first(storage: Storage) -> None:
    ages = {JobState.WAITING: 9, JobState.RUNNING: 7, JobState.FAILED: 1, JobState.SUCCEEDED: 3}
    jobs = {
        state: await added(
            storage, state=state, version=2, card_message_id=9, changed_at=NOW - timedelta(minutes=age)
        )
        for state, age in ages.items()
    }
    wanted = [JobState.SUCCEEDED, JobState.FAILED, JobState.WAITING, JobState.RUNNING]
    async with storage.read() as transaction:
        stale = await transaction.run(cards.stale, 10)
    assert [job.id for job in stale] == [jobs[state].id for state in wanted]


async def test_a_card_is_stale_until_it_shows_the_last_version(storage: Storage) -> None:
    stale = await added(storage, version=3, card_message_id=9, card_version=2)
    await added(storage, version=3, card_message_id=9, card_version=3)
    await added(storage, version=3, card_version=0)
    async with storage.write() as transaction:
        assert [job.id for job in await transaction.run(cards.stale, 10)] == [stale.id]
        await transaction.run(transitions.change, stale.id, card_version=3)
        assert await transaction.run(cards.stale, 10) == []


async def test_a_member_sees_their_own_jobs_in_this_server_newest_first(storage: Storage) -> None:
    mine = [await added(storage, guild_id=1, user_id=3) for _ in range(3)]
    await added(storage, guild_id=1, user_id=4)
    await added(storage, guild_id=2, user_id=3)
    async with storage.read() as transaction:
        found = await transaction.run(queries.page, 1, 3, 0, 2)
    assert [job.id for job in found] == [mine[2].id, mine[1].id]


@pytest.mark.parametrize("alone", [True, False])
async def test_an_answer_that_is_stored_late_makes_no_card_older(storage: Storage, alone: bool) -> None:
    """Its card was found in the channel and edited while Discord's answer was still on its way."""
    edited = await added(storage, version=7, card_message_id=9, card_version=7)
    unknown, moved = await added(storage, version=7), await added(storage, version=7, card_message_id=8)
    shown = [CardShown(job.id, 9, 1) for job in (edited, unknown, moved)]
    async with storage.write() as transaction:
        for some in [[one] for one in shown] if alone else [shown]:
            await transaction.run(cards.note_shown, some)
    found = [await stored(storage, job) for job in (edited, unknown, moved)]
    assert [(job.card_message_id, job.card_version) for job in found] == [(9, 7), (9, 1), (9, 1)]


class Holding(Fence):
    """The right of a process that holds these shards for now."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards

    def hold(self, shards: Shards) -> None:
        self.shards = shards


async def test_a_process_lists_the_jobs_of_those_servers_that_it_serves_at_the_moment(
    storage: Storage, url: str
) -> None:
    card = {"version": 2, "card_message_id": 9}
    jobs = [
        await added(storage, state=JobState.RECEIVED, guild_id=shard << SHARD_BITS, **card)
        for shard in range(2)
    ]
    fence = Holding(Shards(2, frozenset({0})))
    async with Storage.open(url, fence=fence) as half:
        for held in ({0}, {1}, {0}, {0, 1}):
            fence.hold(Shards(2, frozenset(held)))
            async with half.read() as transaction:
                found = await transaction.run(queries.to_take_in, 10, NOW)
                stale = await transaction.run(cards.stale, 10)
            assert {job.id for job in found} == {job.id for job in stale} == {jobs[n].id for n in held}
