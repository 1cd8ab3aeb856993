"""Photos that are none, that cannot be had, or for which there is no room."""

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bot.engine.photos import Intake
from bot.jobs.models import FailureCode, Job, JobState
from bot.reasons import Reason, ReasonCode
from tests.engine.world import a_job, a_staging_job, engine_world


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


@pytest.mark.driver_thread
async def test_no_transaction_notes_what_the_loop_knows_of_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noting = set[threading.Thread]()

    def noted(intake: Intake, name: str, value: object) -> None:
        noting.add(threading.current_thread())
        object.__setattr__(intake, name, value)

    monkeypatch.setattr(Intake, "__setattr__", noted, raising=False)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.announced(job.id)
    assert noting == {threading.current_thread()}
