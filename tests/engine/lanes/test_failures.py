"""When Studii says no, says nothing, or says something odd, before it has taken a job."""

import asyncio
from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, Job, JobState
from bot.studii.client import Timeouts
from sandbox.studii import Fault, faults
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.studii.conftest import behind
from tests.support.proxy import Trouble


async def fails_unpaid(world: EngineWorld, job: Job) -> Job:
    """The failed job, which has cost nothing and of which the person has been told."""
    said = await world.announced(job.id)
    assert said.job.state is JobState.FAILED
    assert said.output is None
    failed = await world.job(job.id)
    assert (failed.reserved, failed.settled) == (0, 0)
    await world.balanced()
    return failed


@pytest.mark.promise
async def test_a_studii_that_keeps_failing_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.error(500), 99)
        job = await world.accept(a_job())
        async with world.running():
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.API
        assert world.studii.requests.count("create") == world.tuning.tries


@pytest.mark.parametrize(
    "fault",
    [
        faults.DropAfter(),
        faults.DropBefore(),
        faults.proxy_error(502),
        faults.proxy_error(502, after=True),
        faults.Malformed(),
        faults.WrongShape(),
        faults.Truncated(),
    ],
)
async def test_a_submission_whose_outcome_is_not_known_is_never_sent_again(
    tmp_path: Path, fault: Fault
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", fault)
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            said = await world.announced(job.id)
            assert said.job.state is JobState.UNKNOWN
            other = await world.accept(a_job())
            await world.announced(other.id)
        assert world.studii.requests.count("create") == 2
        unknown = await world.job(job.id)
        assert (unknown.state, unknown.reserved, unknown.settled) == (JobState.UNKNOWN, 10, 0)
        await world.balanced()


async def test_a_submission_that_is_answered_too_late_is_not_known_and_never_sent_again(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, timeouts=Timeouts(connect=2, read=0.3, total=0.5)) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.Slow(1, after=True))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.UNKNOWN
        assert len(world.studii.jobs) == 1  # it was taken, and nobody told us


@pytest.mark.parametrize("endpoint", ["upload", "put"])
async def test_an_upload_that_fails_for_a_moment_is_made_again(tmp_path: Path, endpoint: str) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail(endpoint, faults.error(500), 2)  # type: ignore[arg-type]
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert said.job.attempts == 0


@pytest.mark.parametrize("fault", [faults.error(500), faults.error(413), faults.DropBefore()])
async def test_a_photo_that_cannot_be_uploaded_ends_the_job_unpaid(tmp_path: Path, fault: Fault) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("put", fault, 99)
        job = await world.accept(a_staging_job())
        async with world.running():
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.UPLOAD
        assert not world.studii.jobs


async def test_an_upload_refused_as_wrong_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("upload", faults.error(400, "Not this file."))
        job = await world.accept(a_staging_job())
        async with world.running():
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.INPUTS


async def test_a_photo_that_vanished_from_the_disk_is_fetched_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.reaches(job.id, JobState.WAITING)
            for name in world.spooled():
                (world.spool_folder / name).unlink()
            await world.use_key(world.studii.add_key())
            await world.reaches(job.id, JobState.SUCCEEDED)
        assert world.album.fetched == [job.id, job.id]
        await world.balanced()


async def test_a_photo_that_is_nowhere_any_more_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.reaches(job.id, JobState.WAITING)
            for name in world.spooled():
                (world.spool_folder / name).unlink()
            world.album.photos = {}
            await world.use_key(world.studii.add_key())
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.PHOTO


@pytest.mark.promise
async def test_a_studii_that_stays_unreachable_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path, down=True) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running():
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.API
        assert not world.studii.jobs


async def test_nothing_is_sent_before_retry_after_has_passed(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.rate_limited(1))
        async with world.running() as engine:
            job = await world.accept(a_job())
            engine.wake()
            await world.announced(job.id)
        limited, *after = world.studii.requests
        assert limited.status == 429
        assert all(request.monotonic - limited.monotonic >= 1.0 for request in after)


@pytest.mark.promise
@pytest.mark.parametrize("trouble", [503, "hang up", "garbage", "silence"])
async def test_a_job_that_a_proxy_does_not_let_through_waits_and_is_sent_once(
    tmp_path: Path, trouble: Trouble
) -> None:
    async with (
        behind(tmp_path, timeouts=Timeouts(connect=0.3)) as way,
        engine_world(tmp_path, down=True) as world,
    ):
        world.client = way.client
        await world.use_key(way.key)
        way.proxy.trouble = trouble
        job = await world.accept(a_job())
        async with world.running():
            while not way.proxy.asked:  # noqa: ASYNC110 - the proxy has no event for it
                await asyncio.sleep(0.01)
            assert not way.server.requests
            way.proxy.trouble = None
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert way.server.requests.count("create") == len(way.server.jobs) == 1


@pytest.mark.promise
@pytest.mark.parametrize(
    "fault", [faults.DropBefore(), faults.DropAfter(), faults.proxy_error(502, after=True)]
)
async def test_an_answer_that_is_lost_behind_a_proxy_is_never_sent_again(
    tmp_path: Path, fault: Fault
) -> None:
    async with behind(tmp_path) as way, engine_world(tmp_path, down=True) as world:
        world.client = way.client
        await world.use_key(way.key)
        way.server.fail("create", fault)
        job = await world.accept(a_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.UNKNOWN
        assert way.server.requests.count("create") == 1
