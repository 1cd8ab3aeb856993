"""What a 429 has told holds for as long as Studii said, whatever happens to the lane meanwhile."""

from pathlib import Path

import pytest

from bot.jobs import lanes as lane_rows, transitions
from bot.jobs.models import Job, JobState
from sandbox.studii import faults
from tests.engine.test_database_trouble import fail
from tests.engine.world import EngineWorld, a_job, engine_world
from tests.support.jobs import settle_job


async def slowed(world: EngineWorld, lane: str, seconds: int) -> Job:
    """A job that met a 429, of which the lane has taken note."""
    world.studii.fail("create", faults.rate_limited(seconds))
    job = await world.accept(a_job())

    async def noted() -> bool:
        return lane in await world.db.read(lane_rows.limits_of, [lane])

    async with world.running():
        await world.until(noted, "the 429 noted")
    return job


def since_the_429(world: EngineWorld) -> list[float]:
    """When there were requests after it, in seconds."""
    (limited,) = world.studii.requests.of(status=429)
    later = [one.monotonic - limited.monotonic for one in world.studii.requests if one.endpoint != "output"]
    return [seconds for seconds in later if seconds > 0]


async def test_a_restarted_bot_asks_nothing_before_retry_after_has_passed(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        key = await world.use_key(world.studii.add_key())
        await slowed(world, key.lane, 1)
        other = await world.accept(a_job(user_id=301))  # has no reason of its own to wait
        async with world.running():
            assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
        assert min(since_the_429(world)) >= 1.0


async def test_a_restarted_bot_goes_slowly_for_as_long_as_it_would_have(tmp_path: Path) -> None:
    # Three requests at once, and then one a second.
    async with engine_world(tmp_path, rate_period=298.0, paced_for=60.0) as world:
        key = await world.use_key(world.studii.add_key("team"))
        await slowed(world, key.lane, 0)
        for number in range(4):
            await world.accept(a_job(user_id=400 + number))
        async with world.running():

            async def some() -> bool:
                return len(since_the_429(world)) >= 5

            await world.until(some, "five requests")
        first, *_, fifth = since_the_429(world)[:5]
        assert fifth - first >= 1.5


async def test_a_lane_that_rests_meanwhile_does_not_forget_it(tmp_path: Path) -> None:
    async with engine_world(tmp_path, lane_rest=0.05) as world:
        key = await world.use_key(world.studii.add_key())
        job = await slowed(world, key.lane, 2)
        await world.db.write(
            transitions.advance, job.id, JobState.WAITING, JobState.CANCELLED, at=world.clock.now()
        )
        await world.db.write(settle_job, job.id, 0, world.clock.now())
        async with world.running() as engine:

            async def rests() -> bool:
                return not engine.occupancy()

            await world.until(rests, "the lane rests")
            other = await world.accept(a_job(user_id=301))
            engine.wake()
            await world.announced(other.id)
        assert min(since_the_429(world)) >= 2.0


async def test_what_can_not_be_kept_holds_in_this_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_rows, "keep_limits", fail)
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.fail("create", faults.rate_limited(1))
        job = await world.accept(a_job())
        async with world.running():
            assert (await world.announced(job.id)).job.state is JobState.SUCCEEDED
        assert min(since_the_429(world)) >= 1.0
