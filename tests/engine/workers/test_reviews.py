"""What the engine does about results that wait for a moderator's decision."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.jobs import transitions
from bot.jobs.models import Approval, Job, JobState
from bot.posts import Later, Never, NotHere, Outcome
from bot.reasons import Reason, ReasonCode
from bot.servers import access
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, EngineWorld, a_job, a_staging_job, engine_world
from tests.support.posts import open_posts
from tests.support.services import erase

CHANNEL = 556


async def set_rules(world: EngineWorld, *, channel: int | None = CHANNEL, results: bool = True) -> None:
    await world.db.write(access.change, GUILD, approval_channel=channel, approval_results=results)


def a_watched_job(*, private: bool = False, set_id: str | None = None) -> Job:
    """A job whose request was approved and whose result has to be."""
    given, wanted = Approval.GIVEN, Approval.WANTED
    return replace(a_staging_job(), approval=given, result_approval=wanted, private=private, set_id=set_id)


@asynccontextmanager
async def made(
    folder: Path, *, private: bool = False, **tuning: object
) -> AsyncGenerator[tuple[EngineWorld, Job]]:
    """A world in which results wait, with a job that is covered."""
    async with engine_world(folder, **tuning) as world:  # type: ignore[arg-type]
        await world.use_key(world.studii.add_key())
        await set_rules(world)
        yield world, await world.accept(a_watched_job(private=private))


async def waits(world: EngineWorld, job: Job) -> Job:
    """The job, once moderators see its result."""

    async def shown() -> bool:
        return bool(world.discord.notices) and not await world.db.read(open_posts)

    waiting = await world.reaches(job.id, JobState.REVIEWING)
    await world.until(shown, "its result is shown to moderators")
    return waiting


async def release(world: EngineWorld, job: Job) -> None:
    assert await world.db.write(transitions.release_result, job.id, world.clock.now()) is not None


@pytest.mark.promise
async def test_a_withheld_result_goes_after_a_month(tmp_path: Path) -> None:
    async with made(tmp_path, undelivered_bound=0.0) as (world, job):
        async with world.running():
            waiting = await waits(world, job)
            await world.db.write(transitions.withhold_result, waiting.id, None, world.clock.now())
            await world.announced(job.id)
        async with world.running():
            await world.until(lambda: _unkept(world, job), "the file to go")


@pytest.mark.promise
@pytest.mark.parametrize("answers", [[Later(0.0), NotHere("deleted")], [Never("it may not post there")]])
async def test_without_its_channel_a_result_is_not_posted_and_its_person_is_told_the_cost(
    tmp_path: Path, answers: list[Outcome]
) -> None:
    async with made(tmp_path) as (world, job):
        world.discord.notice_answers += answers
        async with world.running():
            ended = (await world.announced(job.id)).job
        assert ended.failure_text == Reason(ReasonCode.RESULT_REVIEWS_GONE)
        assert (ended.state, ended.settled) == (JobState.WITHHELD, ended.charged)
        await world.balanced()


async def test_a_full_spool_gives_up_withheld_results_and_then_those_that_can_be_fetched_again(
    tmp_path: Path,
) -> None:
    async with made(tmp_path) as (world, job):
        async with world.running():
            waiting = await waits(world, job)
            declined = await world.accept(a_watched_job())
            withheld = await world.reaches(declined.id, JobState.REVIEWING)
            await world.db.write(transitions.withhold_result, withheld.id, None, world.clock.now())
            await world.announced(declined.id)
        await set_rules(world, results=False)
        for given_up in (withheld, waiting):
            assert str(given_up.output_file) in world.spooled()
            # There is no room for one more result.
            world.spool_bytes = sum(path.stat().st_size for path in world.spool_folder.iterdir()) + 1
            other = await world.accept(a_job())
            async with world.running():
                assert (await world.announced(other.id)).job.state is JobState.SUCCEEDED
            assert str(given_up.output_file) not in world.spooled()
        # Nobody was told anything of them, and what waits is fetched again when it is needed.
        assert (await world.job(declined.id)).output_file is None
        assert len(world.discord.said) == 3
        assert await world.job(job.id) == waiting
        await release(world, job)
        async with world.running():
            said = await world.announced(job.id)
        assert said.output == world.discord.shown[0][0]


async def test_a_member_who_is_forgotten_meanwhile_gets_no_result_and_nothing_is_kept(
    tmp_path: Path,
) -> None:
    async with made(tmp_path) as (world, job):
        async with world.running():
            await waits(world, job)
        await erase(world.services, job.user_id)
        async with world.running():
            await world.until(lambda: _reduced(world), "the moderators' message to be reduced")
        (asked,) = world.discord.edited
        assert (asked.place, asked.message_id, asked.kind) == (f"c{CHANNEL}", 7001, NoticeKind.REVIEW)
        gone = await world.job(job.id)
        assert (gone.state, gone.output_file, dict(gone.inputs)) == (JobState.WITHHELD, None, {})
        assert world.spooled() == []
        await world.balanced()


async def _reduced(world: EngineWorld) -> bool:
    return bool(world.discord.edited) and not await world.db.read(open_posts)


async def _unkept(world: EngineWorld, job: Job) -> bool:
    return (await world.job(job.id)).output_file is None
