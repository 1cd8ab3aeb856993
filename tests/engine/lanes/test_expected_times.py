"""What people are told of times is what was seen, and nothing is invented."""

import asyncio
from pathlib import Path

import pytest

from bot.engine.lane import TOLD_FROM
from bot.jobs import lanes as lane_rows, transitions
from bot.jobs.lanes import Sample
from bot.jobs.models import Job, JobState, Progress
from sandbox.studii import Outcome
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.patience import PATIENCE

NEVER = 10 * PATIENCE  # seconds: a test has failed by then


async def shown(world: EngineWorld, job: Job, state: JobState) -> Progress:
    """What the job's card was made of in that state."""

    def seen() -> list[Progress]:
        return [way for one, way in world.discord.cards if (one.id, one.state) == (job.id, state)]

    async def there() -> bool:
        return bool(seen())

    await world.until(there, f"a card of {job.id} that is {state}")
    return seen()[-1]


async def with_card(world: EngineWorld, number: int) -> Job:
    job = await world.accept(a_job())
    async with world.storage.write() as transaction:
        await transaction.run(transitions.change, job.id, card_message_id=number)
    return job


async def test_how_long_a_tool_usually_takes_is_told_when_some_were_seen_and_not_before(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path, reread_every=0.5) as world:
        await world.use_key(world.studii.add_key("team"))
        async with world.running() as engine:
            for number in range(TOLD_FROM):
                world.studii.next_job(Outcome(never_ends=True))  # before its card has been drawn
                job = await with_card(world, 500 + number)
                engine.wake()
                assert (await shown(world, job, JobState.RUNNING)).ends_at is None
                world.finish()
                await world.announced(job.id)
            world.studii.next_job(Outcome(duration=60))  # goes on while its card is drawn
            job = await with_card(world, 600)
            engine.wake()
            told = await shown(world, job, JobState.RUNNING)
            assert told.ends_at is not None or told.late  # on a busy machine it has passed already
            assert told.position is None
        async with world.running() as engine:  # what was seen is known after a restart
            world.studii.next_job(Outcome(duration=60))
            job = await with_card(world, 601)
            engine.wake()
            told = await shown(world, job, JobState.RUNNING)
            assert told.ends_at is not None or told.late


@pytest.mark.parametrize(("usually", "shown_running"), [(0.1, False), (100 * NEVER, True)])
async def test_a_job_that_usually_ends_in_a_moment_is_shown_as_running_only_if_it_does_not(
    tmp_path: Path, usually: float, *, shown_running: bool
) -> None:
    async with engine_world(tmp_path, card_again=NEVER) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(never_ends=True))
        job = await world.accept(a_job())
        async with world.running():
            await world.reaches(job.id, JobState.RUNNING)
        seen = Sample("studio", "image", usually, usually, world.clock.now())
        async with world.storage.write() as transaction:
            await transaction.run(lane_rows.learn_durations, [seen] * TOLD_FROM)
            await transaction.run(transitions.change, job.id, card_message_id=77)
        async with world.running():
            if shown_running:
                await shown(world, job, JobState.RUNNING)
            else:
                await asyncio.sleep(0.3)
            world.finish()
            await world.announced(job.id)
        assert any(one.state is JobState.RUNNING for one, _ in world.discord.cards) is shown_running
