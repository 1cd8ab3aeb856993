"""Lists of jobs: in which order, and whose."""

from datetime import timedelta

from bot.db import Fence
from bot.domain.shards import SHARD_BITS, Shards
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.storage import Storage
from tests.storage.jobs.kept_jobs import added
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


async def test_a_member_sees_their_own_jobs_in_this_server_newest_first(storage: Storage) -> None:
    mine = [await added(storage, guild_id=1, user_id=3) for _ in range(3)]
    await added(storage, guild_id=1, user_id=4)
    await added(storage, guild_id=2, user_id=3)
    async with storage.read() as transaction:
        found = await transaction.run(queries.page, 1, 3, 0, 2)
    assert [job.id for job in found] == [mine[2].id, mine[1].id]


class Holding(Fence):
    """The right of a process that holds these shards for now."""

    def __init__(self, shards: Shards) -> None:
        self.shards = shards

    def hold(self, shards: Shards) -> None:
        self.shards = shards


async def test_a_process_lists_the_jobs_of_those_servers_that_it_serves_at_the_moment(
    storage: Storage, url: str
) -> None:
    jobs = [await added(storage, state=JobState.RECEIVED, guild_id=shard << SHARD_BITS) for shard in range(2)]
    fence = Holding(Shards(2, frozenset({0})))
    async with Storage.open(url, fence=fence) as half:
        for held in ({0}, {1}, {0}, {0, 1}):
            fence.hold(Shards(2, frozenset(held)))
            async with half.read() as transaction:
                found = await transaction.run(queries.to_take_in, 10, NOW)
            assert {job.id for job in found} == {jobs[n].id for n in held}
