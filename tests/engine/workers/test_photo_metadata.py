"""Metadata leaves a photo before it leaves the bot, and before it is shown beside the result."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from bot.media.metadata import BrokenStructure
from bot.servers import settings
from bot.ui.kit.reasons import reason_words
from tests.engine.world import GUILD, PHOTO_URL, EngineWorld, a_job, engine_world
from tests.media.metadata.photos import AI, phone_jpeg, phone_webp

PHONE = phone_jpeg(source=AI)
SERVER_WITH_ITS_OWN_WISH = 101


async def travelled(world: EngineWorld, photo: bytes, guild_id: int = GUILD) -> tuple[bytes, bytes]:
    """The photo as Studii got it, and as it stood beside the result."""
    known = set(world.studii.uploads)
    world.album.photos = {PHOTO_URL: photo}
    inputs = {"style": "modern", "room": "living"}
    job = await world.accept(a_job("virtual-staging", inputs, photo=photo, guild_id=guild_id))
    said = await world.announced(job.id)
    (upload,) = (one for key, one in world.studii.uploads.items() if key not in known)
    assert upload.data is not None
    assert said.before is not None
    return upload.data, said.before


async def test_a_server_that_wants_metadata_keeps_it_and_the_others_do_not(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        for guild_id in (GUILD, SERVER_WITH_ITS_OWN_WISH):
            await world.use_key(world.studii.add_key(), guild_id)
        await world.db.write(settings.change, SERVER_WITH_ITS_OWN_WISH, keeps_metadata=True)
        async with world.running():
            photo = phone_webp()
            assert await travelled(world, photo, SERVER_WITH_ITS_OWN_WISH) == (photo, photo)
            assert photo not in await travelled(world, photo)


@pytest.mark.promise
async def test_a_photo_that_cannot_be_cleaned_ends_the_job_unpaid_and_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> bool:
        raise BrokenStructure("it contradicts itself")

    monkeypatch.setattr("bot.engine.photos.strip_metadata", broken)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: PHONE}
        job = await world.accept(a_job("virtual-staging", photo=PHONE))
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.failure is FailureCode.PHOTO
        assert "Send it again, or use another one" in reason_words(said.job.failure_text)
        assert (await world.job(job.id)).settled == 0
        assert not world.studii.uploads
        assert world.spooled() == []
        await world.balanced()


async def test_where_the_disk_is_full_the_photo_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[Path] = []

    def full(path: Path) -> bool:
        tried.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bot.engine.photos.strip_metadata", full)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.album.photos = {PHOTO_URL: PHONE}
        job = await world.accept(a_job("virtual-staging", photo=PHONE))
        async with world.running():
            said = await world.announced(job.id)
        assert said.job.state is JobState.FAILED
        assert said.job.failure is FailureCode.UPLOAD
        assert len(tried) == world.tuning.intake_tries
        assert not world.studii.uploads
