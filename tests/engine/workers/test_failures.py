"""Who is told that a job has no result, and where, and which photos' messages have an hourglass."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs import progress, transitions
from bot.jobs.models import Job, JobState
from sandbox.studii import Outcome, faults
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.posts import open_posts

INTERACTION = 900


async def with_answer(world: EngineWorld, job: Job, age: float = 0.0) -> None:
    """Let the person have been answered that many seconds ago, and the answer be edited."""
    now = world.clock.now()
    await world.db.write(
        progress.keep,
        INTERACTION,
        guild_id=job.guild_id,
        user_id=job.user_id,
        late="job",
        sealed=b"",
        life=1,
        created_at=now - timedelta(seconds=age),
        due_at=now + timedelta(days=1),
        subject=progress.subject_of(job),
        shown="its state",
    )


async def over(world: EngineWorld, job: Job) -> Job:
    async def announced() -> bool:
        return (await world.job(job.id)).announced_at is not None

    await world.until(announced, "the end to be noted")
    return await world.job(job.id)


@pytest.mark.promise
@pytest.mark.parametrize(("age", "told"), [(5.0, False), (90.0, True)])
async def test_an_unpaid_failure_is_told_by_dm_only_if_its_person_was_answered_long_ago(
    tmp_path: Path, age: float, *, told: bool
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.error(400))
        job = await world.accept(a_job())
        await with_answer(world, job, age)
        async with world.running():
            assert (await over(world, job)).state is JobState.FAILED
            if told:
                await world.announced(job.id)
        assert len(world.discord.said) == told


@pytest.mark.promise
async def test_a_charged_failure_is_told_by_dm_in_any_case(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(fails="No.", refunded=False))
        job = await world.accept(a_job())
        await with_answer(world, job)
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.settled > 0


@pytest.mark.promise
async def test_whose_direct_messages_are_closed_is_told_of_it_in_the_channel_once_an_hour(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.closed = True
        world.studii.fail("create", faults.error(400), 3)
        jobs = [await world.accept(a_job()) for _ in range(2)]
        private = await world.accept(replace(a_job(), private=True))
        async with world.running():
            for job in (*jobs, private):
                await over(world, job)
            await world.announced(jobs[0].id)

            async def done() -> bool:
                return not await world.db.read(open_posts)

            await world.until(done, "nothing more to be told")
        assert [(one.job.id, one.place) for one in world.discord.said] == [
            (jobs[0].id, f"c{jobs[0].channel_id}")
        ]


@pytest.mark.promise
async def test_an_hourglass_stands_on_a_photos_message_while_jobs_of_it_go_on(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(never_ends=True))
        world.studii.next_job(Outcome(never_ends=True))
        first, second = [await world.accept(replace(a_staging_job(), origin_message_id=55)) for _ in range(2)]
        async with world.running():
            for job in (first, second):
                await world.reaches(job.id, JobState.RUNNING)

            async def stands() -> bool:
                return world.discord.hourglasses == ["55"]

            await world.until(stands, "an hourglass")
            code = (second.id, JobState.RUNNING)
            await world.db.write(transitions.change, *code, studii_status="rendering", visible=True)
            assert not world.discord.deleted
            world.finish()

            async def gone() -> bool:
                return [post.key for post in world.discord.deleted] == ["55"]

            await world.until(gone, "no hourglass")
            for job in (first, second):
                assert (await world.job(job.id)).terminal
        assert world.discord.hourglasses == ["55"]
