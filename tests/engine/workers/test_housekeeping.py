"""What is done now and then: for servers that have removed the bot or seem to, and of several processes by
one."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.cluster import Membership
from bot.domain.shards import DIRECT_MESSAGES, SHARD_BITS, Shards
from bot.jobs.models import Job, JobState
from bot.servers import keys, privacy, settings
from sandbox.studii import faults
from tests.engine.world import GUILD, a_job, engine_world

OTHER = 4321


async def test_a_job_that_studii_takes_while_the_bot_is_removed_ends_at_what_it_was_charged(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.Slow(0.5))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.reaches(job.id, JobState.SUBMITTING)
            await world.services.db.write(privacy.left, GUILD, world.clock.now())
            await world.announced(job.id)
        (theirs,) = world.studii.jobs.values()
        ended = await world.job(job.id)
        assert (ended.state, ended.reserved) == (JobState.FAILED, 0)
        assert ended.settled == theirs.charged
        await world.balanced()


async def test_a_job_in_a_server_that_seems_to_have_removed_the_bot_ends_after_a_day_of_that(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        now = world.clock.now()
        jobs: list[Job] = []
        for guild_id, hours in ((GUILD, 1), (OTHER, 25)):
            await world.use_key(world.studii.add_key(), guild_id)
            old = await world.accept(a_job(age=200_000, guild_id=guild_id))
            jobs.append(await world.put(old, JobState.WAITING))
            await world.db.write(settings.set_missing, [guild_id], now - timedelta(hours=hours))
        stays, ends = jobs
        async with world.running():
            assert (await world.announced(ends.id)).job.state is JobState.FAILED
        assert (await world.job(stays.id)).state is JobState.WAITING
        await world.balanced()


class AProcess(Membership):
    """One of two that share the servers."""

    def __init__(self, shard: int) -> None:
        self.shards = Shards(2, frozenset({shard}))


@pytest.mark.parametrize(("shard", "left"), [(DIRECT_MESSAGES, 0), (1, 2)])
async def test_of_several_processes_one_does_the_housekeeping_of_all_servers(
    tmp_path: Path, shard: int, left: int
) -> None:
    async with engine_world(tmp_path, member=AProcess(shard)) as world:
        for guild_id in (GUILD, GUILD + (1 << SHARD_BITS)):
            key = await world.use_key(world.studii.add_key(), guild_id)
            await world.db.write(keys.retire, key.id, world.clock.now())
        await world.engine()._tidy()  # pyright: ignore[reportPrivateUsage]
        assert await world.db.write(privacy.erase_retired_keys, world.clock.now()) == left
