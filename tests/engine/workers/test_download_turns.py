"""Results are downloaded by turns of the servers: slow ones of one server don't keep another's waiting."""

import asyncio
from pathlib import Path

import pytest

from bot.jobs.models import JobState
from bot.studii import Timeouts
from sandbox.studii import faults
from tests.engine.world import GUILD, a_job, engine_world
from tests.support.patience import PATIENCE

OTHER = GUILD + 1
NEVER = 10 * PATIENCE  # seconds: a test has failed by then
MANY_FAULTS = 99


@pytest.mark.promise
async def test_a_server_whose_results_take_long_leaves_room_for_those_of_another(tmp_path: Path) -> None:
    timeouts = Timeouts(connect=60, read=NEVER, total=NEVER, transfer=NEVER)
    async with engine_world(tmp_path, timeouts=timeouts, downloads_at_once=4) as world:
        for guild_id in (GUILD, OTHER):
            await world.use_key(world.studii.add_key(), guild_id)
        world.studii.fail("output", faults.Slow(NEVER), MANY_FAULTS)
        jobs = [await world.accept(a_job(user_id=400 + number)) for number in range(6)]
        async with world.running():

            async def finished() -> bool:
                ended = [(await world.job(job.id)).output_url is not None for job in jobs]
                return all(ended) and world.studii.failures.left("output") <= MANY_FAULTS - 2

            await world.until(finished, "two downloads of six results")
            await asyncio.sleep(0.2)  # in which more could begin
            world.studii.failures.clear()
            other = await world.accept(a_job(guild_id=OTHER))
            assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
            assert {(await world.job(job.id)).state for job in jobs} == {JobState.RUNNING}
