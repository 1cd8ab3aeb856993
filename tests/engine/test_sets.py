"""A set in the engine: one card for all of its jobs, each posted and settled by itself."""

import secrets
from dataclasses import replace
from pathlib import Path

from bot.domain import Job, JobState
from sandbox.studii import Outcome
from tests.engine.world import World, a_job, a_staging_job, engine_world

SET = "5e75e75e75e75e75"


async def a_set(
    world: World,
    count: int = 3,
    *,
    like: Job | None = None,
    card: int | None = 77,
    origin: int | None = None,
) -> list[Job]:
    jobs: list[Job] = []
    for _ in range(count):
        one = replace(like or a_staging_job(), id=secrets.token_hex(8), set_id=SET, origin_message_id=origin)
        job = await world.accept(one)
        if card is not None:
            async with world.storage.write() as transaction:
                await transaction.jobs.update(job.id, card_message_id=card, card_version=job.version)
        jobs.append(job)
    return jobs


async def all_shown(world: World, jobs: list[Job]) -> bool:
    now = [await world.job(job.id) for job in jobs]
    return all(job.card_version == job.version and job.announced_at is not None for job in now)


async def test_every_edit_of_a_sets_card_shows_all_of_its_jobs(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        world.studii.next_job(Outcome(fails="No room in it."))
        jobs = await a_set(world)
        async with world.running():
            for job in jobs:
                await world.announced(job.id)
            await world.until(lambda: all_shown(world, jobs), "a card that shows the end of all")
        states = sorted(job.state for job in [await world.job(job.id) for job in jobs])
        assert states == [JobState.FAILED, JobState.SUCCEEDED, JobState.SUCCEEDED]
        drawn = [progress.whole_set for _, progress in world.discord.cards]
        assert all([job.id for job in whole] == [job.id for job in jobs] for whole in drawn)
        assert sorted(job.state for job in drawn[-1]) == states
        assert not world.discord.removed_cards
        await world.balanced()


async def test_a_set_under_a_photo_has_one_card(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key())
        jobs = await a_set(world, card=None, origin=55)
        async with world.running():
            for job in jobs:
                await world.announced(job.id)
            await world.until(lambda: all_shown(world, jobs), "a card that shows the end of all")
        assert len({(await world.job(job.id)).card_message_id for job in jobs}) == 1
        await world.balanced()


async def test_a_set_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        jobs = await a_set(world, 6, like=a_job())
        for _ in jobs:
            world.studii.next_job(Outcome(duration=3.0))

        async def all_sent() -> bool:
            states = {(await world.job(job.id)).state for job in jobs}
            return states <= {JobState.RUNNING, JobState.SUCCEEDED}

        async with world.running():
            await world.until(all_sent, "six jobs that Studii has")
        async with world.running():
            await world.until(lambda: all_shown(world, jobs), "a card that shows the end of all")
        said = [one.job.id for one in world.discord.said]
        assert sorted(said) == sorted(job.id for job in jobs)
        assert len(world.studii.jobs) == len(jobs)
        drawn = world.discord.cards[-1][1].whole_set
        assert [job.state for job in drawn] == [JobState.SUCCEEDED] * 6
        await world.balanced()
