"""Starred results: asked about once, shown, taken back, and what admins are told of a lost channel."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot import posts
from bot.features import posting
from bot.jobs import best_results
from bot.jobs.best_results import BEST_ASK, UNANSWERED
from bot.jobs.models import JobState
from bot.posts import Later, NotHere, Post
from bot.servers.notices import NoticeKind
from tests.engine.world import EngineWorld, engine_world
from tests.support.database import given
from tests.support.jobs import a_job, keep_job

GUILD, MAYA, MESSAGE, PLACE = 100, 3, 7, 9
BOTH = (MESSAGE, MESSAGE + 1)


async def starred(world: EngineWorld, *messages: int, ago: timedelta = timedelta()) -> None:
    """Store results that got the stars so long ago, in a server that shows its best ones."""
    now = world.clock.now() - ago
    await world.db.write(posting.change, GUILD, best_channel_id=PLACE)
    for one in messages:
        made = {"state": JobState.SUCCEEDED, "announced_at": now, "result_message_id": one}
        job = replace(a_job(guild_id=GUILD, user_id=MAYA), **made)
        await world.db.write(given(keep_job, job))
        await world.db.write(best_results.want, job.id, 2, one, now)


async def answers(world: EngineWorld, *, agreed: bool) -> None:
    await world.db.write(best_results.answer, MAYA, world.clock.now(), agreed=agreed)


async def row(world: EngineWorld, message: int = MESSAGE) -> Post | None:
    return await world.db.read(best_results.get, GUILD, message)


async def standing(world: EngineWorld) -> int:
    """Return how many of both results are shown."""
    rows = [await row(world, one) for one in BOTH]
    return sum(one is not None and one.message_id is not None for one in rows)


async def asked(world: EngineWorld) -> bool:
    return await world.db.read(best_results.consent, MAYA) is not None


def sent(world: EngineWorld, kind: str) -> list[str]:
    """Return where messages of that kind were sent."""
    return [post.place for post, _, _ in world.discord.notices if post.kind == kind]


@pytest.mark.promise
async def test_admins_are_told_once_of_a_channel_for_the_best_that_is_lost(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await answers(world, agreed=True)
        await starred(world, *BOTH)
        world.discord.closed_places.add(f"c{PLACE}")

        async def told() -> bool:
            left = [await row(world), await row(world, MESSAGE + 1)]
            return left == [None, None] and bool(sent(world, NoticeKind.BEST_LOST))

        async with world.running():
            await world.until(told, "the admins to be told")
        assert len(sent(world, NoticeKind.BEST_LOST)) == 1


async def test_a_question_that_discord_does_not_take_for_a_day_is_asked_with_the_next_result(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await starred(world, MESSAGE, ago=timedelta(days=2))
        world.discord.notice_answers.append(Later())
        async with world.running():

            async def given_up() -> bool:
                return await world.db.read(posts.get, GUILD, BEST_ASK, str(MAYA)) is None

            await world.until(given_up, "the question to be given up")
            assert not await asked(world)
            await starred(world, MESSAGE + 1)
            await world.until(lambda: asked(world), "the maker to be asked")
        assert sent(world, BEST_ASK) == [f"u{MAYA}"] * 2


async def test_who_cannot_be_asked_is_not_asked_again_and_what_nobody_answers_for_is_forgotten(
    tmp_path: Path,
) -> None:
    async with engine_world(tmp_path) as world:
        await starred(world, MESSAGE)
        world.discord.notice_answers.append(NotHere("direct messages are closed"))
        async with world.running():
            await world.until(lambda: asked(world), "the question to be given up")

            async def waits() -> bool:
                post = await row(world)
                return post is not None and post.due_at is None

            await world.until(waits, "the result to wait")
        later = world.clock.now() + UNANSWERED + timedelta(days=1)
        assert not await world.db.write(best_results.known, 10, later)
        assert await row(world) is None
