"""What the engine does about requests that wait for approval."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bot.features.words import WordEffect, WordRule
from bot.jobs import transitions
from bot.jobs.models import Approval, Job, JobState
from bot.posts import Later, NotHere
from bot.reasons import ReasonCode
from bot.servers import access
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, PHOTO_URL, EngineWorld, a_staging_job, engine_world
from tests.support.posts import open_posts

CHANNEL = 556
EFFECTS = {"blimp": WordEffect.APPROVE, "gull": WordEffect.REFUSE}


@asynccontextmanager
async def waiting(folder: Path, *, channel: int | None = CHANNEL) -> AsyncGenerator[tuple[EngineWorld, Job]]:
    """A world with a job that needs approval."""
    async with engine_world(folder) as world:
        await world.use_key(world.studii.add_key())
        await world.db.write(access.change, GUILD, approval_channel=channel)
        now = world.clock.now()
        rules = [WordRule(GUILD, word, word, effect, now) for word, effect in EFFECTS.items()]
        await world.db.write(lambda session: session.add_all(rules))
        job = await world.accept(replace(a_staging_job(), approval=Approval.WANTED))
        yield world, job


@pytest.mark.promise
@pytest.mark.parametrize("channel", [CHANNEL, None])
async def test_without_its_channel_a_request_ends_unpaid(tmp_path: Path, channel: int | None) -> None:
    async with waiting(tmp_path, channel=channel) as (world, job):
        world.discord.notice_answers += [Later(0.0), NotHere("deleted")]
        async with world.running():
            ended = (await world.announced(job.id)).job
        assert (ended.state, ended.reserved) == (JobState.FAILED, 0)
        assert ended.failure_text is not None
        assert ended.failure_text.code == ReasonCode.APPROVALS_GONE
        await world.balanced()


@pytest.mark.promise
async def test_a_question_that_may_have_been_posted_without_our_knowing_is_looked_for_when_it_is_over(
    tmp_path: Path,
) -> None:
    async with waiting(tmp_path) as (world, job):
        world.discord.notice_answers += [Later(0.2)] * 1000  # the answer of Discord's that is lost
        async with world.running():
            await world.until(lambda: _tried(world), "the request is tried")
        world.discord.standing[world.discord.notices[0][0].id] = 7001
        assert await world.db.write(transitions.cancel, job.id, world.clock.now(), told=True)
        async with world.running():
            await world.until(lambda: _reduced(world), "the request is reduced")
        (asked,) = world.discord.edited
        assert (asked.kind, asked.key, asked.message_id) == (NoticeKind.APPROVAL, job.id, 7001)
        assert asked.place == f"c{CHANNEL}"


@asynccontextmanager
async def a_set(folder: Path) -> AsyncGenerator[tuple[EngineWorld, list[Job]]]:
    """A world with a set of two photos and a third that can't be fetched, all of which need approval."""
    async with engine_world(folder) as world:
        await world.use_key(world.studii.add_key())
        await world.db.write(access.change, GUILD, approval_channel=CHANNEL)
        urls = (PHOTO_URL, PHOTO_URL, "https://cdn.example/gone.png")
        wanted = [replace(a_staging_job(url=url), approval=Approval.WANTED, set_id="5" * 16) for url in urls]
        yield world, [await world.accept(job) for job in wanted]


@pytest.mark.promise
async def test_a_set_is_asked_about_once_with_all_of_its_photos_and_over_a_restart(tmp_path: Path) -> None:
    async with a_set(tmp_path) as (world, jobs):
        for _ in range(2):
            async with world.running():
                for job in jobs[:2]:
                    await world.reaches(job.id, JobState.PENDING)
                await world.reaches(jobs[2].id, JobState.FAILED)
                await world.until(lambda: _told(world), "the request is posted")
        ((notice, channel, asked),) = world.discord.notices
        assert (notice.kind, notice.key, channel) == (NoticeKind.APPROVAL, "5" * 16, CHANNEL)
        assert asked is not None
        assert [len(files) for files in world.discord.shown] == [2]
        assert world.studii.jobs == {}
        await world.balanced()


async def _tried(world: EngineWorld) -> bool:
    return bool(world.discord.notices)


async def _reduced(world: EngineWorld) -> bool:
    return bool(world.discord.edited) and not await world.db.read(open_posts)


async def _told(world: EngineWorld) -> bool:
    return bool(world.discord.notices) and not await world.db.read(open_posts)
