"""What Studii answers about running jobs."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from sandbox.studii import Fault, Options, Outcome, faults
from tests.engine.world import a_job, ends_badly, engine_world

PROCESSING = Options(long_side=64)


@pytest.mark.parametrize(
    "fault",
    [
        faults.error(500),
        faults.proxy_error(502),
        faults.DropBefore(),
        faults.DropAfter(),
        faults.Malformed(),
        faults.WrongShape(),
        faults.Truncated(),
        faults.rate_limited(),
        faults.error(404),
        faults.Redirect(),
        faults.proxy_error(404),
    ],
)
async def test_one_bad_answer_about_a_job_changes_nothing(tmp_path: Path, fault: Fault) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("status", fault)
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1


@pytest.mark.parametrize("fault", [faults.proxy_error(502), faults.error(404), faults.Malformed()])
async def test_bad_answers_in_a_row_do_not_keep_a_young_job_waiting(tmp_path: Path, fault: Fault) -> None:
    async with engine_world(tmp_path, missing_over=60.0) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("status", fault, 15)
        job = await world.accept(a_job())
        async with world.running():
            # Doubled each time, the pauses would be more than twice the test's patience together. Each is a
            # quarter of the job's age at most, so all of them are some 28 times its age at the first answer.
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED


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


async def test_a_job_that_studii_does_not_know_any_more_is_lost_after_three_answers(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("status", faults.error(404), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.LOST
        misses = world.studii.requests.of("status", status=404)
        assert len(misses) >= 3
        assert failed.finished_at is not None
        # Not until the last of them, whose answer may have taken longer than that of the first.
        assert failed.finished_at - misses[0].at >= timedelta(seconds=world.tuning.missing_over)


async def test_a_job_that_never_ends_is_given_up_at_what_it_was_charged(tmp_path: Path) -> None:
    async with engine_world(tmp_path, lost_after=0.4) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(never_ends=True))
        job = await world.accept(a_job())
        async with world.running():
            failed = await ends_badly(world, job, 8)
        assert failed.failure is FailureCode.LOST
