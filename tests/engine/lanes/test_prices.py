"""One job asks for a price that was not seen with a key; the others are corrected before they go."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from sandbox.studii import Outcome, faults
from tests.engine.lanes.priced import PRICE, accept, budget, ended, left
from tests.engine.world import USER, engine_world

OTHER_GUILD = 101


@pytest.mark.promise
async def test_when_the_first_fails_or_its_answer_is_lost_the_next_one_asks(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 160)
        jobs = await accept(world, 4)
        world.studii.fail("create", faults.error(400, "No kites."), times=1)
        world.studii.fail("create", faults.DropBefore(), times=1)
        world.studii.next_job(Outcome(charge=PRICE), times=2)
        async with world.running():
            done = await ended(world, jobs)
        refused, lost, first, shed = done
        assert (refused.state, refused.settled) == (JobState.FAILED, 0)
        assert (first.state, first.settled) == (JobState.SUCCEEDED, PRICE)
        assert (shed.state, shed.failure) == (JobState.FAILED, FailureCode.BUDGET)
        assert lost.state is JobState.UNKNOWN
        # It has probably cost what the next one did.
        assert (await world.job(lost.id)).reserved == PRICE
        await world.balanced()


async def test_servers_with_one_key_learn_together_and_each_keeps_to_its_own_budget(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = world.studii.add_key()
        await world.use_key(key)
        await world.use_key(key, OTHER_GUILD)
        await budget(world, 400)
        await budget(world, 130, OTHER_GUILD)
        mine = await accept(world, 3)
        theirs = await accept(world, 50, guild_id=OTHER_GUILD, user_id=USER + 1)
        assert (len(mine), len(theirs)) == (3, 3)
        world.studii.next_job(Outcome(charge=PRICE), times=6)
        async with world.running():
            done = await ended(world, mine + theirs)
        assert [job.settled for job in done] == [PRICE] * 3 + [PRICE, 0, 0]
        assert await left(world) == 40
        assert await left(world, OTHER_GUILD) == 10
