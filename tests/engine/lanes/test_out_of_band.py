"""What is asked of Studii beside the lanes' own work keeps to the key's limit too."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.engine import Tuning
from bot.jobs import transitions
from bot.jobs.models import Job, JobState
from bot.posts import Never
from sandbox.studii import Options, Outcome, RateStyle, faults
from tests.engine.world import EngineWorld, a_job, engine_world

LIMIT, PERIOD = 6, 1.0  # requests of this Studii's minute, in seconds


async def without_their_files(world: EngineWorld, count: int) -> list[Job]:
    """Results of one key that could not be posted, are asked for again, and are gone everywhere."""
    key = world.studii.add_key(
        balance=10_000, rate_limit=LIMIT, rate_style=RateStyle(period=PERIOD, retry_after=False)
    )
    await world.use_key(key)
    world.discord.answers = [Never("no permission")] * count
    jobs = [await world.accept(a_job(user_id=number, channel_id=number)) for number in range(count)]
    async with world.running():
        for job in jobs:

            async def noted(job_id: str = job.id) -> bool:
                return (await world.job(job_id)).announced_at is not None

            await world.until(noted, "the attempt to be noted")
    for file in world.spooled():
        (world.spool_folder / file).unlink()
    world.discord.said.clear()
    for job in jobs:
        assert await world.db.write(transitions.repost, job.id, job.channel_id, world.clock.now())
    # No address leads anywhere, so that Studii is asked for a fresh one.
    world.studii.fail("output", faults.gone(), 1000)
    return jobs


@asynccontextmanager
async def small_world(folder: Path) -> AsyncGenerator[EngineWorld]:
    options = Options(instant=True, long_side=64)
    margin = 60 - LIMIT + Tuning().rate_margin
    async with engine_world(
        folder,
        options=options,
        rate_period=PERIOD + 0.1,
        answer_bound=0.5,
        rate_margin=margin,
        first_poll=0.4,
    ) as world:
        yield world


async def test_many_results_that_are_asked_for_anew_meet_no_429_and_let_the_lane_meet_none(
    tmp_path: Path,
) -> None:
    async with small_world(tmp_path) as world:
        jobs = await without_their_files(world, 6)
        looks = world.studii.requests.count("status")
        world.studii.next_job(Outcome(duration=1000.0))
        await world.accept(a_job(channel_id=50))
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert world.studii.requests.count("status") - looks >= len(jobs)
        assert world.studii.requests.count(status=429) == 0


async def test_a_429_to_such_a_question_slows_the_whole_key_down(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        (job,) = await without_their_files(world, 1)
        world.studii.fail("status", faults.rate_limited(1))
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
            (limited,) = world.studii.requests.of(status=429)
        after = [one for one in world.studii.requests.of("status") if one.monotonic > limited.monotonic]
        assert after
        assert min(one.monotonic for one in after) - limited.monotonic >= 1.0
