"""A set in the engine: each of its jobs is settled by itself, and they are posted together."""

import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.jobs import results
from bot.jobs.models import Job
from bot.jobs.results import EndOfJobs
from bot.posts import Post, TooMuch
from sandbox.studii import Outcome
from tests.engine.world import EngineWorld, a_staging_job, engine_world

SET = "5e75e75e75e75e75"


async def a_set(
    world: EngineWorld, count: int = 3, *, like: Job | None = None, origin: int | None = None
) -> list[Job]:
    jobs: list[Job] = []
    for _ in range(count):
        one = replace(like or a_staging_job(), id=secrets.token_hex(8), set_id=SET, origin_message_id=origin)
        jobs.append(await world.accept(one))
    return jobs


async def all_of(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    return [await world.job(job.id) for job in jobs]


async def posted(world: EngineWorld, jobs: list[Job]) -> list[Job]:
    """The jobs, once all of them are announced."""

    async def there() -> bool:
        return all(job.announced_at is not None for job in await all_of(world, jobs))

    await world.until(there, "a set that is posted")
    return await all_of(world, jobs)


def of(posting: tuple[Post, EndOfJobs]) -> list[int]:
    return [part.number for part in posting[1].parts]


async def test_what_has_ended_is_posted_though_one_runs_on_and_the_rest_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "SET_PATIENCE", timedelta(seconds=0.5))
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(never_ends=True))
        jobs = await a_set(world, 4)
        async with world.running():

            async def some() -> bool:
                return sum(job.announced_at is not None for job in await all_of(world, jobs)) == 3

            await world.until(some, "messages with what has ended")
            before = len(world.discord.postings)
            world.finish()
            await posted(world, jobs)
        assert len(world.discord.postings) == before + 1
        assert world.discord.postings[-1][1].is_news
        numbers = [ending.number for _, ending in world.discord.postings]
        assert numbers == list(range(len(numbers)))
        await world.balanced()


async def test_a_message_that_is_too_large_becomes_two(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.discord.set_answers = [TooMuch()]
        jobs = await a_set(world, 4)
        async with world.running():
            await posted(world, jobs)
        assert [(posting[0].nonce, of(posting)) for posting in world.discord.postings] == [
            (f"{SET}-0", [1, 2]),
            (f"{SET}-1", [3, 4]),
        ]
