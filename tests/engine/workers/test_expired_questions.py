"""Questions and offers go when they are over, with the messages that show them, also after a restart."""

from datetime import timedelta
from pathlib import Path

from bot import posts
from tests.engine.world import engine_world
from tests.support.posts import open_posts


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
