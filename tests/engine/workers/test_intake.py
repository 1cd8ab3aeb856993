"""Photos that are none, that cannot be had, or for which there is no room."""

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, Job, JobState
from bot.reasons import Reason, ReasonCode
from bot.ui.kit.reasons import reason_words
from tests.engine.world import PHOTO_URL, a_job, a_staging_job, engine_world


async def test_a_photo_that_is_no_picture_ends_the_job_unpaid(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: b"%PDF-1.7"}
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.failure is FailureCode.PHOTO
        assert "isn't a picture" in reason_words(said.job.failure_text)
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


async def test_a_restart_forgets_no_try_of_a_photo(tmp_path: Path) -> None:
    async with engine_world(tmp_path, intake_pause=0.3) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {}
        job = await world.accept(a_staging_job())
        async with world.running():

            async def was_tried() -> bool:
                return (await world.job(job.id)).tries == 1

            await world.until(was_tried, "the first try to be counted")
        async with world.running():
            assert (await world.announced(job.id)).job.failure is FailureCode.PHOTO
        assert len(world.album.fetched) == world.tuning.intake_tries


@pytest.mark.promise
async def test_a_full_spool_turns_photos_away_and_nothing_else(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = a_staging_job()
        assert job.source is not None
        photo = await world.accept(replace(job, source=replace(job.source, size=world.spool_bytes)))
        words = await world.accept(a_job())
        async with world.running():
            turned_away = (await world.announced(photo.id)).job
            # The same photo may do later: its message offers Again.
            assert (turned_away.failure, turned_away.failure_text) == (
                FailureCode.UPLOAD,
                Reason(ReasonCode.PHOTO_NO_ROOM),
            )
            assert (await world.announced(words.id)).job.state is JobState.SUCCEEDED


async def test_a_photo_for_which_the_disk_has_no_room_is_tried_again_and_then_turned_away_in_those_words(
    tmp_path: Path,
) -> None:
    def full(_: Job) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.on_fetch = full
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)
        assert (said.job.failure, said.job.failure_text) == (
            FailureCode.UPLOAD,
            Reason(ReasonCode.PHOTO_NO_ROOM),
        )
        assert len(world.album.fetched) == world.tuning.intake_tries
        assert (await world.job(job.id)).settled == 0
        await world.balanced()
