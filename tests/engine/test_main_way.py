"""A job's way when all goes well."""

from dataclasses import replace
from pathlib import Path

from bot.credits.ledger import EntryKind
from bot.jobs.models import JobState
from bot.storage import Storage
from sandbox.studii import Outcome
from tests.engine.world import a_job, a_staging_job, engine_world, png
from tests.support.jobs import last_charges, ledger_lines
from tests.support.patience import PATIENCE

NEVER = 10 * PATIENCE  # seconds: a test has failed by then


async def test_a_photo_goes_to_studii_and_the_output_comes_back_byte_for_byte(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_staging_job())
        async with world.running():
            said = await world.announced(job.id)

        (upload,) = world.studii.uploads.values()
        assert upload.data == png()
        assert upload.content_type == "image/png"
        (theirs,) = world.studii.jobs.values()
        assert theirs.request.tool == "virtual-staging"
        assert theirs.request.inputs == job.inputs
        assert said.output == (await world.studii.output_of(theirs.id)).data
        assert (said.kind, said.content_type) == ("image", "image/jpeg")
        assert said.job.state is JobState.SUCCEEDED


async def test_the_ledger_is_settled_at_what_studii_charged(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(charge=23))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.announced(job.id)

        done = await world.job(job.id)
        assert (done.reserved, done.settled, done.charged) == (0, 23, 23)
        async with world.storage.read() as transaction:
            entries = await ledger_lines(transaction, job_id=job.id)
            assert await last_charges(transaction, key.lane, "studio", "") == (23, 23)
        assert [(entry.kind, entry.amount) for entry in entries] == [
            (EntryKind.RESERVE, 10),
            (EntryKind.CORRECT, 13),
            (EntryKind.SETTLE, 23),
        ]
        await world.balanced()


async def test_what_the_last_answer_says_was_charged_is_what_counts(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(charge=23, final_charge=5))
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.announced(job.id)
        assert (await world.job(job.id)).settled == 5
        await world.balanced()


async def test_photo_and_output_are_kept_until_they_are_posted_and_no_longer(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.discord.delay = 2.0
        job = await world.accept(a_staging_job())
        async with world.running():
            await world.reaches(job.id, JobState.SUCCEEDED)
            assert world.spooled() == [f"{job.id}.output.jpg", f"{job.id}.source.png"]
            await world.announced(job.id)

            async def empty() -> bool:
                return world.spooled() == []

            await world.until(empty, "an empty spool")


async def test_a_video_is_delivered_as_one(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        job = a_job(inputs={"mode": "video", "source": "text", "prompt": "Waves"})
        await world.accept(job)
        async with world.running():
            said = await world.announced(job.id)
        assert said.kind == "video"


async def test_what_another_process_stored_is_found_when_the_engine_is_woken(tmp_path: Path) -> None:
    async with (
        engine_world(tmp_path, reread_every=NEVER) as world,
        Storage.open(f"sqlite+aiosqlite:///{tmp_path}/studii.db") as storage,
    ):
        elsewhere = replace(world, storage=storage)  # whose changes nobody tells the engine
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            for job in (a_job(), a_staging_job()):
                await elsewhere.accept(job)
                engine.wake()
                await world.announced(job.id)
