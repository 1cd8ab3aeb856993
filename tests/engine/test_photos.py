"""Photos on their way in, and the room that servers share: hostile files, full disks, refused keys."""

import asyncio
import contextlib
import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from bot.engine import CountedDecoder
from bot.engine.files import MAX_DECODE_TRIES, Undecodable
from bot.jobs import holds, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.media import PhotoKind
from bot.media.metadata import BrokenStructure
from bot.media.photo import DecoderFailed, Photo
from bot.media.pool import DecoderPool
from bot.posts import Never
from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.ui.kit.reasons import reason_words
from sandbox.studii import Outcome, Output
from tests.engine.world import GUILD, MB, PHOTO_URL, EngineWorld, a_job, a_staging_job, with_photo
from tests.media.files import AI, phone_jpeg
from tests.support.jobs import held

PNG = Photo(PhotoKind.PNG, "image/png", 64, 64)


class Dying:
    """A decoder that gives photos up, or hangs for as long as the test wants."""

    def __init__(self, *, hangs: bool = False) -> None:
        self.opened: list[str] = []
        self.hangs, self.dies = hangs, not hangs

    async def inspect(self, path: Path) -> Photo:
        self.opened.append(path.name)
        while self.hangs:  # noqa: ASYNC110 - until the test ends it
            await asyncio.sleep(0.01)
        if self.dies:
            raise DecoderFailed
        return PNG


async def tries_of(world: EngineWorld, job_id: str) -> int:
    return await world.db.read(transitions.decode_tries, job_id)


@pytest.mark.promise
async def test_a_photo_that_is_given_up_fails_unpaid_with_a_sentence(world: EngineWorld) -> None:
    job = await world.accept(a_staging_job())
    world.decoder = cast("Any", Dying())
    async with world.running():
        said = (await world.announced(job.id)).job
    assert (said.state, said.failure, said.settled) == (JobState.FAILED, FailureCode.PHOTO, 0)
    assert "Use another one" in reason_words(said.failure_text)
    assert not world.studii.jobs
    assert world.spooled() == []
    await world.balanced()


@pytest.mark.world(key=False)
async def test_a_photo_that_was_ready_while_the_due_ones_were_read_stays_with_its_job(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, decoder = await world.accept(a_staging_job()), Dying(hangs=True)
    decoder.dies, world.decoder, read = False, cast("Any", decoder), world.db.read

    async def slowly(work: Any, *args: Any, **more: Any) -> Any:
        found = await read(work, *args, **more)
        of_photos = getattr(work, "__module__", "") == CountedDecoder.__module__
        if of_photos and decoder.opened and decoder.hangs:  # `found` has the first one as it was
            decoder.hangs = False
            await world.reaches(first.id, JobState.WAITING)
        return found

    monkeypatch.setattr(world.db, "read", slowly)
    async with world.running():
        await world.until(lambda: bool(decoder.opened), "the first to be opened")
        second = await world.accept(a_staging_job())
        await world.reaches(second.id, JobState.WAITING)
    assert len(decoder.opened) == 2
    assert len(world.spooled()) == 2


@pytest.mark.promise
async def test_what_the_bot_has_died_of_is_not_opened_again_and_those_beside_it_are_made(
    world: EngineWorld,
) -> None:
    """A photo fails unpaid; a result is posted as it is."""
    jobs = [await world.accept(one) for one in (a_staging_job(), a_job(), a_staging_job())]
    photo, words, _ = jobs
    for job in (photo, words):
        await world.db.write(transitions.set_decode_tries, job.id, MAX_DECODE_TRIES)
    async with world.running():
        failed, *others = [await world.announced(job.id) for job in jobs]
    assert (failed.job.failure, failed.job.settled) == (FailureCode.PHOTO, 0)
    assert "crashed the program that opens pictures" in reason_words(failed.job.failure_text)
    assert all(one.job.state is JobState.SUCCEEDED and one.output for one in others)
    await world.balanced()


@pytest.mark.promise
async def test_of_those_that_were_open_when_the_bot_died_one_is_tried_at_a_time(
    world: EngineWorld, tmp_path: Path
) -> None:
    jobs = [await world.accept(a_staging_job()) for _ in range(3)]
    for job, tries in zip(jobs, (1, 1, MAX_DECODE_TRIES), strict=True):
        await world.db.write(transitions.set_decode_tries, job.id, tries)
    decoder = Dying(hangs=True)
    counted = CountedDecoder(world.db, cast("Any", decoder))
    opening = [asyncio.create_task(counted.inspect(tmp_path / f"{job.id}.source")) for job in jobs]

    await world.until(lambda: bool(decoder.opened) and opening[2].done(), "the first to be opened")
    assert isinstance(opening[2].exception(), Undecodable)
    assert sorted([await tries_of(world, job.id) for job in jobs]) == [1, 2, 2]
    decoder.hangs = False
    await asyncio.wait(opening)
    assert [await tries_of(world, job.id) for job in jobs] == [0, 0, MAX_DECODE_TRIES]


@pytest.mark.promise
async def test_a_full_spool_turns_photos_away_and_nothing_else(world: EngineWorld) -> None:
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


PHONE = phone_jpeg(source=AI)


@pytest.mark.promise
async def test_a_photo_that_cannot_be_cleaned_ends_the_job_unpaid_and_is_not_sent(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> bool:
        raise BrokenStructure("it contradicts itself")

    monkeypatch.setattr("bot.engine.files.strip_metadata", broken)
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


OTHER = 101


def held_by(folder: Path) -> int:
    """The bytes in the folder's files; one may come or go meanwhile, and the folder may not be there yet."""
    total = 0
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
    return total


def large(size: int) -> bytes:
    """A photo of nearly that many bytes."""
    file = io.BytesIO()
    Image.new("RGB", (1000, (size - 5000) // 3001)).save(file, "PNG", compress_level=0)
    assert size * 0.95 < len(file.getvalue()) <= size
    return file.getvalue()


async def refused(world: EngineWorld, seconds: float = 3600.0, guild_id: int = GUILD) -> None:
    """Studii has just refused the server's key, and is asked again after so many seconds."""
    key = await world.db.write(keys.current, guild_id)
    assert key is not None
    until = world.clock.now() + timedelta(seconds=seconds)
    await world.db.write(held, guild_id, key.id, Reason.text("Studii refused the key."), until)
    await world.db.write(holds.hold_waiting, guild_id, key.id, Reason.text("Studii refused the key."), until)


@pytest.mark.promise
async def test_a_server_whose_key_is_refused_leaves_room_for_another_servers_photo(
    world: EngineWorld,
) -> None:
    await world.use_key(world.studii.add_key(), OTHER)
    await refused(world)
    world.album.photos = {PHOTO_URL: large(MB)}
    world.spool_bytes = 4 * MB
    greedy = [await world.accept(with_photo(MB)) for _ in range(12)]
    async with world.running() as engine:

        async def some() -> bool:
            return any([(await world.job(job.id)).state is JobState.WAITING for job in greedy])

        await world.until(some, "the first photos to be fetched")
        for _ in range(3):
            other = await world.accept(with_photo(MB, guild_id=OTHER))
            engine.wake()
            assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
        assert held_by(world.spool_folder) <= 2 * MB


@pytest.mark.parametrize("there", [True, False])
@pytest.mark.world(room_pause=600.0, intake_tries=3)
async def test_a_photo_whose_key_is_held_is_not_fetched_again_and_again(
    world: EngineWorld, *, there: bool
) -> None:
    """Neither where the spool has no room for it, nor where it is gone."""
    world.spool_bytes = 3 * MB // 2 if there else world.spool_bytes
    world.album.photos = {PHOTO_URL: large(MB)} if there else {}
    *_others, job = [await world.accept(with_photo(MB)) for _ in range(2 if there else 1)]
    await refused(world, seconds=0.0)
    async with world.running():

        async def rests() -> bool:
            now = await world.job(job.id)
            wait = (now.not_before or world.clock.now()) - world.clock.now()
            return now.over or wait > timedelta(seconds=300)

        await world.until(rests, "the photo to be left alone")
    assert (await world.job(job.id)).over is not there


@pytest.mark.promise
@pytest.mark.world(room_pause=600.0, reread_every=600.0)
async def test_a_photo_that_found_no_room_is_fetched_as_soon_as_some_is_free(world: EngineWorld) -> None:
    world.spool_bytes = 2 * MB
    world.album.photos = {PHOTO_URL: large(MB)}
    jobs = [await world.accept(with_photo(MB)) for _ in range(4)]
    async with world.running():
        for job in jobs:
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


@pytest.mark.promise
async def test_a_photo_of_another_server_does_not_wait_behind_many(world: EngineWorld) -> None:
    await world.use_key(world.studii.add_key(), OTHER)
    never = asyncio.Event()
    slow, quick = world.album, world.album.fetch

    async def fetch(job: Job, destination: Path, limit: int) -> None:
        if job.guild_id == GUILD:
            slow.fetched.append(job.id)
            await never.wait()
        await quick(job, destination, limit)

    slow.fetch = fetch  # type: ignore[method-assign]
    for number in range(40):
        await world.accept(a_staging_job(user_id=1000 + number % 10))
    async with world.running() as engine:
        await world.until(lambda: len(slow.fetched) >= 4, "the first server's photos to be under way")
        other = await world.accept(a_staging_job(guild_id=OTHER))
        engine.wake()
        assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED


@pytest.mark.promise
@pytest.mark.world(max_output_bytes=2 * MB)
async def test_results_that_could_not_be_posted_give_way_to_those_of_others_and_become_links(
    world: EngineWorld,
) -> None:
    await world.use_key(world.studii.add_key(), OTHER)
    world.spool_bytes = 3 * MB
    world.discord.answers = [Never("no permission")] * 2
    kept: list[Job] = []
    async with world.running():
        for _ in range(2):
            world.studii.next_job(Outcome(output=Output(large(MB + 400_000), "image/png")))
            job = await world.accept(a_job())

            kept.append(await world.over(job.id))
    world.discord.said.clear()
    world.studii.next_job(Outcome(output=Output(large(MB + 400_000), "image/png")))
    other = await world.accept(a_job(guild_id=OTHER))
    async with world.running():
        assert (await world.announced(other.id)).output is not None
        # The oldest of the server that has most is announced anew, with its link alone.
        said = await world.announced(kept[0].id)
    assert said.output is None
    assert said.job.output_url is not None
    assert said.job.state is JobState.SUCCEEDED
    assert world.spooled() == [(await world.job(kept[1].id)).output_file]


async def test_an_output_that_no_spool_could_hold_fails_with_its_charge(world: EngineWorld) -> None:
    world.spool_bytes = MB
    world.studii.next_job(Outcome(output=Output(large(2 * MB), "image/png")))
    job = await world.accept(a_job())
    async with world.running():
        said = (await world.announced(job.id)).job
    assert (said.failure, said.settled) == (FailureCode.OUTPUT, 8)
    assert said.output_url is not None


async def test_a_photo_that_is_too_large_once_it_is_converted_is_refused_in_a_sentence(
    world: EngineWorld,
) -> None:
    file = io.BytesIO()
    noise = Image.effect_noise((400, 400), 90).convert("RGBA")
    noise.putalpha(Image.effect_noise((400, 400), 90))
    noise.save(file, "AVIF", quality=10)
    async with DecoderPool(max_photo_bytes=1000) as pool:
        world.decoder = pool  # type: ignore[assignment]
        world.album.photos = {PHOTO_URL: file.getvalue()}
        job = await world.accept(with_photo(len(file.getvalue())))
        async with world.running():
            said = (await world.announced(job.id)).job
        assert said.failure is FailureCode.PHOTO
        assert "doesn't take AVIF pictures. Converted, this one is 0 MB" in reason_words(said.failure_text)
        assert world.spooled() == []
        assert len(world.studii.requests) == 0
