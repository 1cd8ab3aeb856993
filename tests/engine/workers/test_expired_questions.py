"""Questions that are over go, with the messages that ask them, also after a restart."""

from datetime import timedelta
from pathlib import Path

from bot import posts
from bot.jobs import confirm
from bot.jobs.models import JobRequest
from tests.engine.world import EngineWorld, engine_world
from tests.support.posts import open_posts
from tests.support.questions import ask


async def a_question(world: EngineWorld, name: str, *, seconds: float, photo: int | None = 7) -> None:
    now = world.clock.now()
    request = JobRequest(100, 200, 300, "studio", {"prompt": "x"}, origin_message_id=photo)
    await world.db.write(ask, name, request, now, now + timedelta(seconds=seconds))


async def left(world: EngineWorld) -> list[str]:
    return [one.id for one in await world.db.read(confirm.all_questions)]


async def test_what_is_over_is_removed_and_what_is_open_stays(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await a_question(world, "over", seconds=-1)
        await a_question(world, "soon", seconds=0.3)
        await a_question(world, "used", seconds=600)
        await a_question(world, "open", seconds=600)
        await a_question(world, "of a command", seconds=-1, photo=None)
        answer = JobRequest(100, 200, 300, "studio", {}, confirmation="used")
        await world.db.write(confirm.take_answer, answer, world.clock.now())
        world.discord.removal_answers = [False]  # Discord was away once
        async with world.running():

            async def done() -> bool:
                return await left(world) == ["open"]

            await world.until(done, "all but the open question removed")
        removed = {one.id for one in world.discord.removed_questions}
        assert removed == {"over", "soon", "used"}  # a command's is seen by its person alone


async def test_a_message_that_can_not_be_removed_for_a_day_is_given_up(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        await a_question(world, "stuck", seconds=-90_000)
        world.discord.removal_answers = [False] * 99
        async with world.running():

            async def done() -> bool:
                return await left(world) == []

            await world.until(done, "it to be given up")


async def test_an_offer_that_nobody_took_is_removed_also_one_of_an_earlier_life(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        now = world.clock.now()
        for number, seconds in ((1, -1), (2, 600)):
            until = now + timedelta(seconds=seconds)
            await world.db.write(posts.let_expire, 100, posts.OFFER, 200, number, now, until)
        async with world.running():

            async def done() -> bool:
                return [one.message_id for one in await world.db.read(open_posts)] == [2]

            await world.until(done, "the offer that is over to be removed")
        assert [(one.place, one.message_id) for one in world.discord.deleted] == [("c200", 1)]
