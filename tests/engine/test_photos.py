"""Photos that are none, that cannot be had, or for which there is no room."""

from pathlib import Path

from bot.model import FailureCode, JobState
from tests.engine.world import PHOTO_URL, a_job, a_staging_job, engine_world, png


async def test_a_photo_that_is_no_picture_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: b"%PDF-1.7"}
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.failure is FailureCode.PHOTO
        assert "not a picture" in (said.job.failure_text or "")
        assert (await world.job(job.id)).settled == 0
        assert len(world.studii.requests) == 0
        assert world.spooled() == []


async def test_a_photo_that_cannot_be_had_ends_the_job_after_a_few_tries(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {}
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.failure is FailureCode.PHOTO
        assert len(world.album.fetched) == world.tuning.intake_tries
        await world.balanced()


async def test_a_full_spool_turns_photos_away_and_nothing_else(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.spool_bytes = len(png())
        photo = await world.accept(a_staging_job())
        words = await world.accept(a_job())
        async with world.running():
            assert "no room" in ((await world.announced(photo.id)).job.failure_text or "")
            assert (await world.announced(words.id)).job.state is JobState.SUCCEEDED
