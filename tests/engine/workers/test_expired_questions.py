"""Questions and offers go when they are over, with the messages that show them, also after a restart."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import posts
from bot.credits.prices import Estimate
from bot.jobs import confirm
from bot.jobs.confirm import QUESTION, ConfirmationNeeded, WhyAsk
from bot.jobs.models import JobRequest
from bot.posts import Later, Never
from tests.engine.world import EngineWorld, engine_world
from tests.support.posts import open_posts
from tests.support.questions import all_questions


async def a_question(world: EngineWorld, number: int) -> str:
    """Ask under a photo. Return the question's id."""
    request = JobRequest(
        100, 200, 300 + number, "studio", {"prompt": "x"}, origin_message_id=number, tapped="x"
    )
    needed = ConfirmationNeeded(request, Estimate(8, learned=False), WhyAsk.FIRST_TAP, ())
    await world.db.write(confirm.ask_under_photo, needed, world.clock.now())
    return needed.id


async def test_what_is_answered_or_withdrawn_is_removed_and_what_is_open_stays(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        answered, withdrawn, stays = [await a_question(world, number) for number in (1, 2, 3)]
        db = world.db
        async with world.running():

            async def asked() -> bool:
                return len(world.discord.notices) == 3

            async def removed() -> bool:
                return {post.key for post in world.discord.deleted} == {answered, withdrawn}

            await world.until(asked, "all to be asked")
            world.discord.removal_answers = [Later()]  # Discord is away once
            answer = JobRequest(100, 200, 301, "studio", {}, confirmation=answered)
            await db.write(confirm.take_answer, answer, world.clock.now())
            await db.write(confirm.withdraw, 100, 2, 302, "x", world.clock.now())
            await world.until(removed, "both to be removed")
        assert [one.id for one in await db.read(all_questions)] == [stays]
        assert await db.read(posts.get, 100, QUESTION, stays) is not None


async def test_a_question_that_is_over_goes_also_where_its_message_can_not_be_removed(tmp_path: Path) -> None:
    async with engine_world(tmp_path) as world:
        over = [await a_question(world, number) for number in (1, 2)]
        async with world.running():

            async def asked() -> bool:
                return len(world.discord.notices) == 2

            async def gone() -> bool:
                left = [await world.db.read(posts.get, 100, QUESTION, one) for one in over]
                return left == [None, None] and await world.db.read(all_questions) == []

            await world.until(asked, "both to be asked")
            world.discord.removal_answers = [Never("no rights")]
            await world.db.write(_end, world.clock.now())
            await world.until(gone, "both to go")
        assert len(world.discord.deleted) == 1


def _end(session: Session, at: object) -> None:
    """Let the minute of all questions be over."""
    for post in session.scalars(select(posts.Post).filter_by(kind=QUESTION)):
        post.expires_at = post.due_at = post.changed_at


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
