"""A set in the engine: each of its jobs is settled by itself, and they are posted together."""

import secrets
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.jobs import results, transitions
from bot.jobs.models import Job, JobState
from bot.jobs.results import EndOfJobs
from bot.posts import Later, Never, Post, Stands, TooMuch
from sandbox.studii import Outcome
from sandbox.studii.faults import DropAfter
from tests.engine.world import EngineWorld, a_job, a_staging_job, engine_world

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


async def test_a_set_is_posted_together(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(fails="No room in it."))
        world.discord.room = 800_000  # bytes: for three with their photos
        jobs = await a_set(world, 6)
        async with world.running():
            now = await posted(world, jobs)
        assert sorted(job.state for job in now) == [JobState.FAILED, *[JobState.SUCCEEDED] * 5]
        # Each message has a number and a nonce of its own, and says how its photos ended.
        assert [post.nonce for post, _ in world.discord.postings] == [f"{SET}-0", f"{SET}-1"]
        assert [of(posting) for posting in world.discord.postings] == [[1, 2, 3], [4, 5, 6]]
        assert [ending.is_news for _, ending in world.discord.postings] == [True, False]  # one notification
        assert [job.result_message_id for job in now] == [9001] * 3 + [9002] * 3
        assert all(said.before is not None for said in world.discord.said if said.output is not None)
        assert world.spooled() == []
        await world.balanced()


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


async def test_the_two_minutes_go_on_after_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.next_job(Outcome(never_ends=True))
        jobs = await a_set(world)

        async def two_ended() -> bool:
            return sum(job.terminal for job in await all_of(world, jobs)) == 2

        async with world.running():
            await world.until(two_ended, "two that have ended")
        assert not world.discord.postings
        # they are over
        await world.db.write(lambda session: session.execute(update(Post).values(due_at=world.clock.now())))
        async with world.running():

            async def some() -> bool:
                return sum(job.announced_at is not None for job in await all_of(world, jobs)) == 2

            await world.until(some, "a message with what has ended")
            world.finish()
            await posted(world, jobs)
        assert [len(of(posting)) for posting in world.discord.postings] == [2, 1]


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


async def test_a_restart_between_two_messages_sends_what_was_made_up_before(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.discord.room = 600_000
        world.discord.set_answers = [Stands(9001), *[Later()] * 20]
        jobs = await a_set(world, 4)

        async def half() -> bool:
            return len(world.discord.set_answers) < 20

        async with world.running():
            await world.until(half, "a message that Discord doesn't take now")
        world.discord.set_answers = []
        world.discord.room = 300_000  # a server's limit has changed: what was made up stays
        async with world.running():
            await posted(world, jobs)
        assert [(posting[0].nonce, of(posting)) for posting in world.discord.postings] == [
            (f"{SET}-0", [1, 2]),
            (f"{SET}-1", [3, 4]),
        ]


async def test_what_cannot_be_posted_is_kept(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.discord.set_answers = [Never("nobody may post there")]
        jobs = await a_set(world)
        async with world.running():
            now = await posted(world, jobs)
            assert all(job.output_file for job in now)
            await world.db.write(transitions.repost, jobs[0].id, 201, world.clock.now())
            said = await world.announced(jobs[0].id)  # by a message of its own
        assert said.output is not None


async def test_once_the_last_one_is_cancelled_the_others_wait_for_nothing(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        first, last = await a_set(world, 2)
        to = JobState.PENDING  # until a moderator approves it
        await world.db.write(transitions.advance, last.id, JobState.RECEIVED, to, at=world.clock.now())
        async with world.running():
            await world.reaches(first.id, JobState.SUCCEEDED)
            await world.db.write(transitions.cancel, last.id, world.clock.now(), told=True)
            await world.announced(first.id)
            await posted(world, [first, last])


async def test_an_unknown_outcome_is_said_alone(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        world.studii.fail("create", DropAfter())
        jobs = await a_set(world)
        async with world.running():
            now = await posted(world, jobs)
        assert sorted(job.state for job in now) == [*[JobState.SUCCEEDED] * 2, JobState.UNKNOWN]
        assert [len(of(posting)) for posting in world.discord.postings] == [2]


async def test_a_set_goes_on_after_a_restart(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await world.use_key(world.studii.add_key("team"))
        jobs = await a_set(world, 6, like=a_job())
        for _ in jobs:
            world.studii.next_job(Outcome(duration=3.0))

        async def all_sent() -> bool:
            states = {job.state for job in await all_of(world, jobs)}
            return states <= {JobState.RUNNING, JobState.SUCCEEDED}

        async with world.running():
            await world.until(all_sent, "six jobs that Studii has")
        async with world.running():
            await posted(world, jobs)
        said = [one.job.id for one in world.discord.said]
        assert sorted(said) == sorted(job.id for job in jobs)
        assert len(world.studii.jobs) == len(jobs)
        await world.balanced()
