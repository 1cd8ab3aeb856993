"""A server removes the bot while its jobs are on their way."""

from pathlib import Path

from bot.domain import JobState
from bot.services import ServerService
from sandbox.studii import faults
from tests.engine.world import GUILD, a_job, engine_world


async def test_a_job_that_studii_takes_while_the_bot_is_removed_ends_at_what_it_was_charged(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.Slow(0.5))
        servers = ServerService(world.storage, world.clock, lambda: None)
        job = await world.accept(a_job(estimate=10))
        async with world.running():
            await world.reaches(job.id, JobState.SUBMITTING)
            await servers.left(GUILD)
            await world.announced(job.id)
        (theirs,) = world.studii.jobs.values()
        ended = await world.job(job.id)
        assert (ended.state, ended.reserved) == (JobState.FAILED, 0)
        assert ended.settled == theirs.charged
        await world.balanced()
