"""When Studii says no, says nothing, or says something odd, before it has taken a job."""

import asyncio
from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, Job, JobState
from bot.studii.client import Timeouts
from sandbox.studii import Fault, faults
from tests.engine.world import EngineWorld, a_job, engine_world
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


@pytest.mark.promise
async def test_a_studii_that_stays_unreachable_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path, down=True) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        async with world.running():
            failed = await fails_unpaid(world, job)
        assert failed.failure is FailureCode.API
        assert not world.studii.jobs


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
