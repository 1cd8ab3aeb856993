"""A key that Studii refuses, or that is out of credits: one job asks, the others wait, admins hear once."""

from datetime import timedelta
from pathlib import Path

from bot import posts
from bot.jobs.models import FailureCode, JobState
from bot.servers import keys, privacy, settings
from bot.servers.notices import NoticeKind
from bot.ui.kit.reasons import reason_words
from sandbox.studii import faults
from tests.engine.world import GUILD, EngineWorld, a_job, engine_world


async def told(world: EngineWorld, kind: NoticeKind, key: str) -> bool:
    """Whether the server's admins were told: nothing is told twice."""
    return not await world.db.write(posts.want, GUILD, kind, key, at=world.clock.now())


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
