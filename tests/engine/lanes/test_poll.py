"""What Studii answers about running jobs."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from sandbox.studii import Options, Outcome
from tests.engine.world import a_job, ends_badly, engine_world

PROCESSING = Options(long_side=64)


async def test_a_status_of_studiis_own_is_shown_and_the_job_goes_on(tmp_path: Path) -> None:
    async with engine_world(tmp_path, options=PROCESSING) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(status="upscaling", duration=1.5))
        job = await world.accept(a_job())
        async with world.running():

            async def upscaling() -> bool:
                return (await world.job(job.id)).studii_status == "upscaling"

            await world.until(upscaling, "the status")
            assert (await world.job(job.id)).state is JobState.RUNNING
            await world.announced(job.id)


@pytest.mark.promise
async def test_a_finished_job_that_never_says_where_its_output_is_fails_with_its_charge(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(without_url=True))
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.OUTPUT


@pytest.mark.promise
async def test_an_output_whose_address_comes_a_little_later_is_waited_for(tmp_path: Path) -> None:
    async with engine_world(tmp_path, url_grace=10.0) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(url_after=0.3))
        job = await world.accept(a_job())
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
