"""What people are told of times is what was seen, and nothing is invented."""

from functools import partial
from pathlib import Path

from bot.engine import Engine
from bot.engine.lane import TOLD_FROM
from bot.jobs.models import JobState, Progress
from sandbox.studii import Outcome
from tests.engine.world import EngineWorld, a_job, engine_world


async def told(world: EngineWorld, engine: Engine) -> Progress:
    """Let a job run, and return what its person can be told of it."""
    job = await world.accept(a_job())
    engine.wake()
    await world.reaches(job.id, JobState.RUNNING)
    return await engine.progress(job.id)


async def test_how_long_a_tool_usually_takes_is_told_when_some_were_seen_and_not_before(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, reread_every=0.5) as world:
        await world.use_key(world.studii.add_key("team"))
        async with world.running() as engine:
            for number in range(TOLD_FROM):
                world.studii.next_job(Outcome(never_ends=True))
                assert (await told(world, engine)).ends_at is None
                world.finish()
                await world.until(partial(said, world, number + 1), "the result")
            world.studii.next_job(Outcome(duration=60))
            way = await told(world, engine)
            assert way.ends_at is not None or way.late  # on a busy machine it has passed already
            assert way.position is None
        async with world.running() as engine:  # what was seen is known after a restart
            world.studii.next_job(Outcome(duration=60))
            way = await told(world, engine)
            assert way.ends_at is not None or way.late


async def said(world: EngineWorld, number: int) -> bool:
    return len(world.discord.said) == number
