"""The last word reaches its person."""

from pathlib import Path

import pytest

from bot.engine.messages import STAYS_THERE
from bot.jobs import queries, transitions
from bot.jobs.models import Job, JobState
from bot.posts import Later, Never, NotHere, Stands
from bot.servers.notices import NoticeKind
from sandbox.studii import faults
from tests.engine.world import EngineWorld, a_job, engine_world


@pytest.mark.promise
async def test_what_cannot_be_posted_now_is_posted_later(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.answers = [Later(0.05), Later(0.05), Stands(1234)]
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.output is not None
        assert world.discord.attempts == 3
        assert (await world.job(job.id)).result_message_id == 1234


@pytest.mark.promise
async def test_an_output_that_nobody_fetched_for_a_month_is_dropped(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.answers = [Never("no permission")]
        job = await world.accept(a_job())
        async with world.running():

            async def noted() -> bool:
                return (await world.job(job.id)).announced_at is not None

            await world.until(noted, "the attempt to be noted")
        kept = await world.db.write(queries.get, job.id)
        assert kept is not None
        assert kept.announced_at is not None
        long_ago = kept.announced_at.replace(year=kept.announced_at.year - 1)
        await world.db.write(transitions.change, job.id, announced_at=long_ago)
        async with world.running():

            async def empty() -> bool:
                return world.spooled() == []

            await world.until(empty, "an empty spool")
        assert (await world.job(job.id)).output_file is None


@pytest.mark.promise
async def test_results_in_a_channel_come_in_the_order_in_which_jobs_ended(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        world.discord.answers = [Later(0.05)]
        jobs = [await world.accept(a_job()) for _ in range(5)]
        for job in jobs:
            await world.put(job, JobState.UNKNOWN)
        async with world.running():
            for job in jobs:
                await world.announced(job.id)
        assert [said.job.id for said in world.discord.said] == [job.id for job in jobs]


@pytest.mark.promise
async def test_a_result_that_cannot_be_posted_holds_up_no_other_channel(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        world.discord.answers = [Later(60.0)]
        stuck = await world.put(await world.accept(a_job(channel_id=1)), JobState.UNKNOWN)
        other = await world.put(await world.accept(a_job(channel_id=2)), JobState.UNKNOWN)
        async with world.running():
            await world.announced(other.id)
        assert (await world.job(stuck.id)).state is JobState.UNKNOWN


async def without_its_file(world: EngineWorld) -> Job:
    """A job whose result could not be posted, is asked for again, and is gone from the disk."""
    await world.use_key(world.studii.add_key())
    world.discord.answers = [Never("no permission")]
    job = await world.accept(a_job())
    async with world.running():

        async def noted() -> bool:
            return (await world.job(job.id)).announced_at is not None

        await world.until(noted, "the attempt to be noted")
    (file,) = world.spooled()
    (world.spool_folder / file).unlink()
    world.discord.said.clear()
    assert await world.db.write(transitions.repost, job.id, job.channel_id, world.clock.now())
    return await world.job(job.id)


@pytest.mark.promise
async def test_a_result_that_is_nowhere_any_more_is_told_without_a_link_that_leads_nowhere(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        job = await without_its_file(world)
        world.studii.fail("output", faults.gone(), 99)
        async with world.running():
            said = await world.announced(job.id)
            assert (said.output, said.job.output_url) == (None, None)
            assert said.job.state is JobState.SUCCEEDED

            async def admins_know() -> bool:
                return [notice.kind for notice, _, _ in world.discord.notices] == [NoticeKind.RESULT_LOST]

            await world.until(admins_know, "the admins to be told")
        ((_, _, told),) = world.discord.notices
        assert told is not None
        assert told.settled == job.settled > 0


async def test_who_can_not_be_shown_a_result_outside_of_its_channel_is_told_that_it_ended(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.answers = [NotHere("the channel is gone"), STAYS_THERE]
        job = await world.accept(a_job())
        async with world.running():

            async def told() -> bool:
                kinds = [notice.kind for notice, _, _ in world.discord.notices]
                return kinds == [NoticeKind.ENDED] and (await world.job(job.id)).announced_at is not None

            await world.until(told, "the person to be told")
            kept = await world.job(job.id)
        assert world.spooled() == [kept.output_file]
        assert world.discord.notices[0][0].place == f"u{job.user_id}"
