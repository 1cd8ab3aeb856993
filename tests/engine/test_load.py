"""Many jobs at once, in real time, against a server that counts."""

import asyncio
from pathlib import Path

from bot.domain.guilds import Plan
from bot.jobs.models import JobState
from sandbox.studii import Options, RateStyle
from tests.engine.world import a_job, engine_world


async def test_a_restart_does_not_forget_the_requests_that_were_sent(tmp_path: Path) -> None:
    style = RateStyle(period=2.0)
    options = Options(instant=True, long_side=64, rate_style=style)
    async with engine_world(tmp_path, options=options, rate_period=2.1) as world:
        await world.use_key(world.studii.add_key(balance=10_000))
        jobs = [await world.accept(a_job(user_id=n)) for n in range(40)]
        for begun in (10, 20, 30):
            async with world.running():

                async def enough(begun: int = begun) -> bool:
                    return len(world.studii.jobs) >= begun

                await world.until(enough, f"{begun} jobs submitted")
        async with world.running():
            for job in jobs:
                await world.announced(job.id)
        assert world.studii.requests.count(status=429) == 0
        assert len(world.studii.jobs) == 40


async def test_a_key_that_allows_less_than_its_plan_still_gets_everything_done(tmp_path: Path) -> None:
    options = Options(instant=True, long_side=64, rate_style=RateStyle(period=1.0))
    async with engine_world(tmp_path, options=options, tries=99) as world:
        await world.use_key(world.studii.add_key(rate_limit=5), plan=Plan.TEAM)
        jobs = [await world.accept(a_job()) for _ in range(5)]
        async with world.running():
            for job in jobs:
                assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert len(world.studii.jobs) == 5


async def test_a_lane_that_was_idle_for_long_starts_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path, lane_rest=0.05) as world:
        await world.use_key(world.studii.add_key())
        async with world.running() as engine:
            for _ in range(3):
                job = await world.accept(a_job())
                engine.wake()
                await world.announced(job.id)
                await asyncio.sleep(0.15)


async def test_an_engine_that_was_stopped_can_run_again(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        engine = world.engine()
        for _ in range(2):
            task = asyncio.create_task(engine.run())
            job = await world.accept(a_job())
            engine.wake()
            await world.announced(job.id)
            task.cancel()
            await asyncio.wait({task})
