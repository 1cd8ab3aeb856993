"""A job's way when all goes well."""

from dataclasses import replace
from pathlib import Path

from bot.db import Database
from bot.jobs.models import JobState
from tests.engine.world import a_job, a_staging_job, engine_world
from tests.support.patience import PATIENCE

NEVER = 10 * PATIENCE  # seconds: a test has failed by then


async def test_photo_and_output_are_kept_until_they_are_posted_and_no_longer(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.delay = 2.0
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.reaches(job.id, JobState.SUCCEEDED)
            assert world.spooled() == [f"{job.id}.output.jpg", f"{job.id}.source.png"]
            await world.announced(job.id)

            async def empty() -> bool:
                return world.spooled() == []

            await world.until(empty, "an empty spool")


async def test_what_another_process_stored_is_found_when_the_engine_is_woken(tmp_path: Path) -> None:
    async with (
        engine_world(tmp_path, reread_every=NEVER) as world,
        Database.open(f"sqlite+aiosqlite:///{tmp_path}/studii.db") as db,
    ):
        elsewhere = replace(world, db=db)  # whose changes nobody tells the engine
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            for job in (a_job(), a_staging_job()):
                await elsewhere.accept(job)
                engine.wake()
                await world.announced(job.id)
