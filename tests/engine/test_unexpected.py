"""A step that fails for a reason that nobody foresaw is tried some times, and then the job ends in words."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.aio import tasks
from bot.engine import due
from bot.jobs.models import FailureCode, Job, JobState
from bot.media.pool import DecoderPool
from bot.reasons import Reason, ReasonCode
from bot.studii import StudiiClient
from tests.engine.recorder import Recorder
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_RETRY_SECONDS", 0.001)
    monkeypatch.setattr(tasks, "MAX_RETRY_SECONDS", 0.005)


def failing(monkeypatch: pytest.MonkeyPatch, where: type[Any], name: str) -> Callable[[], int]:
    """Let a method fail; returns how often it did."""
    calls: list[None] = []

    async def fail(*_: object, **__: object) -> None:
        calls.append(None)
        raise RuntimeError("nobody foresaw this")

    monkeypatch.setattr(where, name, fail)
    return lambda: len(calls)


async def ended(world: EngineWorld, job: Job) -> Job:
    async with world.running():
        return (await world.announced(job.id)).job


@pytest.mark.promise
async def test_a_photo_that_fails_unexpectedly_ends_its_job_unpaid_and_holds_no_credits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        tries = failing(monkeypatch, DecoderPool, "inspect")
        job = await ended(world, await world.accept(a_staging_job()))
        assert (job.state, job.failure) == (JobState.FAILED, FailureCode.PHOTO)
        assert job.failure_text == Reason(ReasonCode.NOT_STARTED, {"photo": True})
        assert (job.reserved, job.settled) == (0, 0)
        assert tries() == due.UNEXPECTED_TRIES
        assert world.spooled() == []
        assert len(world.studii.requests) == 0
        await world.balanced()


@pytest.mark.promise
async def test_an_upload_that_fails_unexpectedly_ends_unpaid_after_some_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        tries = failing(monkeypatch, StudiiClient, "request_upload")
        job = await ended(world, await world.accept(a_staging_job()))
        assert (job.state, job.failure) == (JobState.FAILED, FailureCode.UPLOAD)
        assert (tries(), job.settled) == (world.tuning.tries, 0)
        await world.balanced()


async def test_a_look_that_fails_unexpectedly_does_not_go_on_beyond_the_bound_of_all_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path, hourly_after=0.2, lost_after=0.3) as world:
        await world.use_key(world.studii.add_key())
        failing(monkeypatch, StudiiClient, "job_status")
        job = await ended(world, await world.accept(a_job()))
        assert (job.state, job.failure) == (JobState.FAILED, FailureCode.LOST)
        assert job.settled == job.charged
        await world.balanced()


@pytest.mark.promise
async def test_an_output_that_fails_unexpectedly_ends_the_job_at_what_it_was_charged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        failing(monkeypatch, StudiiClient, "download")
        job = await ended(world, await world.accept(a_job()))
        assert (job.state, job.failure) == (JobState.FAILED, FailureCode.OUTPUT)
        assert (job.failure_text, job.settled) == (Reason(ReasonCode.OUTPUT_UNEXPECTED_ERROR), job.charged)
        assert job.output_url is not None
        await world.balanced()


@pytest.mark.promise
async def test_a_result_whose_posting_fails_unexpectedly_is_kept_in_the_list_of_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        failing(monkeypatch, Recorder, "send")
        job = await world.accept(a_job())
        async with world.running():

            async def given_up() -> bool:
                return (await world.job(job.id)).announced_at is not None

            await world.until(given_up, "given up")
        kept = await world.job(job.id)
        assert kept.state is JobState.SUCCEEDED
        assert world.spooled() == [kept.output_file]
