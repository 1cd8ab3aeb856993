"""One server neither fills the spool nor keeps others waiting; sizes are believed when they are seen."""

import asyncio
import contextlib
import io
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from bot.jobs import holds as key_holds
from bot.jobs.models import FailureCode, Job, JobState
from bot.posts import Never
from bot.reasons import Reason
from bot.servers import keys
from sandbox.studii import Outcome, Output, faults
from tests.engine.workers.sized import MB, with_photo
from tests.engine.world import GUILD, PHOTO_URL, EngineWorld, a_job, a_staging_job, engine_world

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
    await world.db.write(key_holds.put_hold, guild_id, key.id, Reason.text("Studii refused the key."), until)
    await world.db.write(
        key_holds.hold_waiting, guild_id, key.id, Reason.text("Studii refused the key."), until
    )


async def released(world: EngineWorld, guild_id: int = GUILD) -> None:
    await world.db.write(key_holds.end, guild_id, world.clock.now())


@pytest.mark.promise
async def test_a_server_whose_key_is_refused_leaves_room_for_another_servers_photo(tmp_path: Path) -> None:
    async with engine_world(tmp_path, room_patience=600.0) as world:
        await world.use_key(world.studii.add_key())
        await world.use_key(world.studii.add_key(), OTHER)
        await refused(world)
        world.album.photos = {PHOTO_URL: large(MB)}
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


async def test_photos_beyond_the_share_of_a_refused_key_wait_for_the_key_and_say_so(tmp_path: Path) -> None:
    async with engine_world(tmp_path, room_patience=10.0) as world:
        await world.use_key(world.studii.add_key())
        await refused(world)
        world.album.photos = {PHOTO_URL: large(MB)}
        jobs = [await world.accept(with_photo(MB)) for _ in range(6)]
        async with world.running() as engine:

            async def settled() -> bool:
                now = [await world.job(job.id) for job in jobs]
                return all(job.held or job.state is not JobState.RECEIVED for job in now)

            await world.until(settled, "each to be fetched, or to say why it waits")
            now = [await world.job(job.id) for job in jobs]
            assert {job.state for job in now} == {JobState.RECEIVED, JobState.WAITING}
            await world.use_key(world.studii.add_key())
            await released(world)
            engine.wake()
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        await world.balanced()


@pytest.mark.promise
async def test_a_photo_that_found_no_room_is_fetched_as_soon_as_some_is_free(tmp_path: Path) -> None:
    async with engine_world(
        tmp_path, room_pause=600.0, room_pause_bound=600.0, room_patience=6000.0, reread_every=600.0
    ) as world:
        await world.use_key(world.studii.add_key())
        world.spool_bytes = 2 * MB
        world.album.photos = {PHOTO_URL: large(MB)}
        jobs = [await world.accept(with_photo(MB)) for _ in range(4)]
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED


@pytest.mark.promise
async def test_a_photo_of_another_server_does_not_wait_behind_many(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
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

            async def several() -> bool:
                return len(slow.fetched) >= 4

            await world.until(several, "the first server's photos to be under way")
            other = await world.accept(a_staging_job(guild_id=OTHER))
            engine.wake()
            assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED


@pytest.mark.promise
async def test_downloads_never_exceed_the_bound_together(tmp_path: Path) -> None:
    async with engine_world(tmp_path, max_output_bytes=2 * MB) as world:
        await world.use_key(world.studii.add_key())
        world.spool_bytes = 3 * MB
        most = 0
        jobs: list[Job] = []
        for _ in range(4):
            world.studii.next_job(Outcome(output=Output(large(MB + 500_000), "image/png")))
            jobs.append(await world.accept(a_job()))
        world.studii.fail("output", faults.Slow(0.2), times=4)

        async with world.running():
            while not all([(await world.job(job.id)).announced_at for job in jobs]):
                most = max(most, held_by(world.spool_folder))
                await asyncio.sleep(0.002)
        assert 0 < most <= world.spool_bytes
        assert {(await world.job(job.id)).state for job in jobs} == {JobState.SUCCEEDED}


@pytest.mark.promise
async def test_results_that_could_not_be_posted_give_way_to_those_of_others_and_become_links(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, max_output_bytes=2 * MB) as world:
        await world.use_key(world.studii.add_key())
        await world.use_key(world.studii.add_key(), OTHER)
        world.spool_bytes = 3 * MB
        world.discord.answers = [Never("no permission")] * 2
        kept: list[Job] = []
        async with world.running():
            for _ in range(2):
                world.studii.next_job(Outcome(output=Output(large(MB + 400_000), "image/png")))
                job = await world.accept(a_job())

                async def noted(job_id: str = job.id) -> bool:
                    return (await world.job(job_id)).announced_at is not None

                await world.until(noted, "the attempt to be noted")
                kept.append(job)
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


async def test_an_output_that_no_spool_could_hold_fails_with_its_charge(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.spool_bytes = MB
        world.studii.next_job(Outcome(output=Output(large(2 * MB), "image/png")))
        job = await world.accept(a_job())
        async with world.running():
            said = (await world.announced(job.id)).job
        assert (said.failure, said.settled) == (FailureCode.OUTPUT, 8)
        assert said.output_url is not None
