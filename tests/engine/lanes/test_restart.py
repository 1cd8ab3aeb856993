"""The process ends at any moment, and the next one goes on where it was."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.credits import charges
from bot.engine.lanes import Lanes
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from sandbox.studii import faults
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world
from tests.support.jobs import settle_job


async def submitted(world: EngineWorld) -> Job:
    """A job that Studii has, as the engine of an earlier life left it."""
    job = await world.accept(a_job())
    async with world.running():
        await world.reaches(job.id, JobState.RUNNING)
    return await world.job(job.id)


async def test_a_job_that_was_being_submitted_is_unknown_and_never_sent_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        job = await world.put(await world.accept(a_job(estimate=10)), JobState.SUBMITTING, key_id=key.id)
        async with world.running():
            said = await world.announced(job.id)
            assert said.job.state is JobState.UNKNOWN
        async with world.running():
            pass
        assert len(world.studii.requests) == 0
        assert (await world.job(job.id)).reserved == 10
        await world.balanced()


async def test_the_answer_to_a_submission_is_kept_when_the_engine_stops_meanwhile(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.Slow(0.5, after=True))
        job = await world.accept(a_job())
        async with world.running():

            async def taken() -> bool:
                return len(world.studii.jobs) == 1

            await world.until(taken, "Studii to have the job")
        (theirs,) = world.studii.jobs.values()
        running = await world.job(job.id)
        assert (running.state, running.studii_id) == (JobState.RUNNING, theirs.id)


async def test_an_answer_that_does_not_come_in_time_leaves_the_job_unknown(tmp_path: Path) -> None:
    async with engine_world(tmp_path, drain=0.1) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.Slow(2.0, after=True))
        job = await world.accept(a_job())
        async with world.running():

            async def taken() -> bool:
                return len(world.studii.jobs) == 1

            await world.until(taken, "Studii to have the job")
        assert (await world.job(job.id)).state is JobState.SUBMITTING
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.UNKNOWN
        assert world.studii.requests.count("create") <= 1


@pytest.mark.parametrize("after", [0.0, 0.01, 0.02, 0.04, 0.06, 0.09, 0.13, 0.2])
async def test_stopping_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path, after: float) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.running():
            await asyncio.sleep(after)
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1
        assert len([one for one in world.discord.said if one.job.id == job.id]) == 1
        assert isinstance((await world.job(job.id)).result_message_id, int)
        await world.balanced()


async def test_a_step_that_fails_unexpectedly_leaves_no_job_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        real = world.client.request_upload
        broken = [RuntimeError("nobody foresaw this")]

        async def request_upload(*args: str) -> object:
            if broken:
                raise broken.pop()
            return await real(*args)

        world.client.request_upload = request_upload  # type: ignore[method-assign,assignment]
        job = await world.accept(a_staging_job())
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert "nobody foresaw this" in caplog.text


async def test_what_studii_said_is_stored_although_the_database_failed_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        real, failures = charges.learn, [OSError("disk full")]

        def learn(*args: Any) -> int | None:
            if failures:
                raise failures.pop()
            return real(*args)

        monkeypatch.setattr(charges, "learn", learn)
        job = await world.accept(a_job())
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 1
        await world.balanced()


async def test_a_job_that_a_lane_has_begun_to_send_is_not_taken_for_stranded(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        answer = faults.Held()
        world.studii.fail("create", answer)
        job = await world.accept(a_job())
        async with world.running() as engine:
            await world.reaches(job.id, JobState.SUBMITTING)
            for _ in range(10):
                engine.wake()
                await asyncio.sleep(0.02)
            assert (await world.job(job.id)).state is JobState.SUBMITTING
            answer.release.set()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


async def test_a_reading_that_saw_a_job_before_its_step_ended_takes_it_from_no_lane(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_out, answer = Lanes._hand_out, faults.Held()  # pyright: ignore[reportPrivateUsage]

    async def late(lanes: Lanes, found: Any, asked: Any) -> float:
        if any(one.state is JobState.SUBMITTING for one, _ in found.jobs):
            answer.release.set()
            await world.reaches(job.id, JobState.RUNNING)
            while lanes._is_in_flight(job.id):  # noqa: ASYNC110 # pyright: ignore[reportPrivateUsage]
                await asyncio.sleep(0.01)
        return await hand_out(lanes, found, asked)

    async with engine_world(tmp_path, reread_every=600.0, first_poll=1.0) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", answer)
        monkeypatch.setattr(Lanes, "_hand_out", late)
        job = await world.accept(a_job())
        async with world.running() as engine:
            await world.reaches(job.id, JobState.SUBMITTING)
            engine.wake()
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


async def test_a_job_cancelled_during_its_upload_is_not_submitted(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        upload = faults.Held()
        world.studii.fail("put", upload)
        job = await world.accept(a_staging_job())
        async with world.running() as engine:
            await world.reaches(job.id, JobState.UPLOADING)
            now = world.clock.now()
            assert await world.db.write(
                transitions.advance, job.id, JobState.UPLOADING, JobState.CANCELLED, at=now
            )
            await world.db.write(settle_job, job.id, 0, now)
            engine.wake()
            upload.release.set()
            await world.announced(job.id)
            other = await world.accept(a_job())
            engine.wake()
            await world.announced(other.id)
        assert len(world.studii.jobs) == 1
        assert (await world.announced(job.id)).job.state is JobState.CANCELLED
        await world.balanced()
