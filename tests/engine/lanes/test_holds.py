"""A key that Studii refuses, or that is out of credits: one job asks, the others wait, admins hear once."""

from datetime import timedelta
from pathlib import Path

from bot import posts
from bot.jobs import holds as key_holds
from bot.jobs.models import FailureCode, JobState
from bot.servers import keys, privacy, settings
from bot.servers.notices import NoticeKind
from bot.ui.kit.reasons import reason_words
from sandbox.studii import faults
from tests.engine.world import GUILD, EngineWorld, a_job, engine_world


async def told(world: EngineWorld, kind: NoticeKind, key: str) -> bool:
    """Whether the server's admins were told: nothing is told twice."""
    return not await world.db.write(posts.want, GUILD, kind, key, at=world.clock.now())


async def test_when_credits_are_back_the_others_go_on_and_a_later_lack_is_told_anew(tmp_path: Path) -> None:
    async with engine_world(tmp_path, key_retries=(0.2,), starts_in_flight=1) as world:
        key = await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.error(402, "Out of credits."), times=1)
        jobs = [await world.accept(a_job()) for _ in range(3)]
        async with world.running():
            for job in jobs[1:]:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert not await told(world, NoticeKind.OUT_OF_CREDITS, str(key.id))
        assert await world.db.read(key_holds.get, GUILD) is None


async def test_an_outcome_that_nobody_ruled_on_counts_as_charged_after_30_days(tmp_path: Path) -> None:
    async with engine_world(tmp_path, unruled_bound=0.0) as world:
        await world.use_key(world.studii.add_key())
        job = await world.accept(a_job())
        await world.put(job, JobState.UNKNOWN)
        async with world.running():
            await world.reaches(job.id, JobState.FAILED)
        ruled = await world.job(job.id)
        assert (ruled.failure, ruled.settled) == (FailureCode.RULED, job.estimate)
        assert "counts as charged" in reason_words(ruled.failure_text)
        await world.balanced()


async def test_a_job_that_runs_for_a_day_is_told_to_its_member_and_the_admins_once(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        job = await world.accept(a_job(age=100_000))
        since = world.clock.now() - timedelta(days=1, hours=1)
        await world.put(job, JobState.RUNNING, submitted_at=since, studii_id="x", key_id=key.id)
        world.studii.fail("status", faults.error(500), times=50)
        async with world.running():

            async def says() -> bool:
                return "more than a day" in reason_words((await world.job(job.id)).held)

            await world.until(says, "the job to say that it takes a day")
        assert await told(world, NoticeKind.STILL_RUNNING, job.id)


async def test_the_secret_of_a_replaced_key_goes_when_its_jobs_have_ended(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        old = await world.use_key(world.studii.add_key())
        await world.db.write(keys.retire, old.id, world.clock.now())
        await world.use_key(world.studii.add_key())
        async with world.running():

            async def gone() -> bool:
                key = await world.db.read(keys.get, old.id)
                return key is not None and key.ciphertext == b""

            await world.until(gone, "the old secret to be deleted")


async def test_a_forgotten_key_is_kept_for_its_running_job_a_day_at_most(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        world.studii.fail("status", faults.error(500), times=10_000)
        job = await world.put(
            await world.accept(a_job()),
            JobState.RUNNING,
            submitted_at=world.clock.now(),
            studii_id="x",
            charged=8,
            key_id=key.id,
        )
        now = world.clock.now()
        await world.db.write(settings.set_key, GUILD, None)
        await world.db.write(keys.retire, key.id, now)
        assert await world.db.write(privacy.erase_retired_keys, now - timedelta(days=1)) == 0
        assert await world.db.write(privacy.erase_retired_keys, now + timedelta(seconds=1)) == 1
        async with world.running():
            failed = (await world.announced(job.id)).job
        assert (failed.state, failed.failure, failed.settled) == (JobState.FAILED, FailureCode.KEY, 8)
        assert "removed before the job finished" in reason_words(failed.failure_text)
        await world.balanced()
