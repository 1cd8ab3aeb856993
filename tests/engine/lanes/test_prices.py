"""One job asks for a price that was not seen with a key; the others are corrected before they go."""

from pathlib import Path

import pytest

from bot.credits import charges
from bot.domain.guilds import Plan
from bot.jobs.models import FailureCode, JobState
from sandbox.studii import Key, Outcome, faults
from tests.engine.lanes.priced import ASSUMED, PRICE, Gate, accept, arrived, budget, ended, left
from tests.engine.world import GUILD, USER, EngineWorld, engine_world

OTHER_GUILD = 101


async def change_key(world: EngineWorld, key: Key) -> None:
    """As an admin does."""
    await world.services.keys.set_key(GUILD, key.secret, Plan.TEAM, None)


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


async def test_a_stop_in_the_middle_leaves_one_unknown_and_the_next_one_asks(tmp_path: Path) -> None:
    async with engine_world(tmp_path, drain=0.1) as world:
        await world.use_key(world.studii.add_key())
        await budget(world, 1000)
        jobs = await accept(world, 3)
        gate = Gate()
        world.studii.fail("create", gate, times=1)
        world.studii.next_job(Outcome(charge=PRICE), times=3)
        async with world.running():
            await arrived(world, gate)
        assert [(await world.job(job.id)).state for job in jobs].count(JobState.SUBMITTING) == 1
        gate.opened.set()
        async with world.running():
            done = await ended(world, jobs)
        assert [job.state for job in done] == [JobState.UNKNOWN, JobState.SUCCEEDED, JobState.SUCCEEDED]
        assert [(await world.job(job.id)).reserved for job in jobs] == [PRICE, 0, 0]
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


async def test_another_key_is_asked_anew(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        old = await world.use_key(world.studii.add_key())
        await budget(world, 1000)
        await world.db.write(
            charges.learn, old.lane, "studio", "mode=video quality=standard", 3, world.clock.now()
        )
        jobs = await accept(world, 3)
        assert [(job.estimate, job.price_learned) for job in jobs] == [(3, True)] * 3
        await change_key(world, world.studii.add_key())
        waiting = [await world.job(job.id) for job in jobs]
        assert [(job.reserved, job.price_learned) for job in waiting] == [(ASSUMED, False)] * 3
        gate = Gate()
        world.studii.fail("create", gate, times=3)
        world.studii.next_job(Outcome(charge=PRICE), times=3)
        async with world.running():
            await arrived(world, gate)
            gate.opened.set()
            done = await ended(world, jobs)
        assert [job.settled for job in done] == [PRICE] * 3


async def test_it_is_told_that_one_job_goes_first(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        first, second = await accept(world, 2)
        gate = Gate()
        world.studii.fail("create", gate, times=2)
        async with world.running() as engine:

            async def told() -> bool:
                return (await engine.progress(second.id)).waits_for_price

            await world.until(told, "the second one to be told why it waits")
            assert not (await engine.progress(first.id)).waits_for_price
            gate.opened.set()
            await ended(world, [first, second])
