"""A request for more credits goes to the log channel, else where it was asked, else to the owner."""

from pathlib import Path

import pytest

from bot import posts
from bot.posts import NotHere, Outcome, Stands
from bot.servers import settings as server_settings
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, engine_world
from tests.support.posts import open_posts

ASKED_IN, LOG = 700, 800
Answers = list[Outcome]


@pytest.mark.parametrize(
    ("log", "in_place", "answers", "places"),
    [
        (LOG, False, [Stands(1)], [LOG]),
        (None, False, [Stands(1)], [ASKED_IN]),
        (LOG, False, [NotHere("gone"), Stands(1)], [LOG, ASKED_IN]),
        (LOG, False, [NotHere("gone"), NotHere("gone"), Stands(1)], [LOG, ASKED_IN, None]),
        (None, False, [NotHere("gone"), Stands(1)], [ASKED_IN, None]),
        (LOG, True, [Stands(1)], [ASKED_IN]),
        (LOG, True, [NotHere("gone"), Stands(1)], [ASKED_IN, None]),
    ],
)
async def test_a_request_goes_where_admins_read_it(
    tmp_path: Path, log: int | None, *, in_place: bool, answers: Answers, places: list[int | None]
) -> None:
    async with engine_world(tmp_path) as world:
        await world.db.write(server_settings.set_log, GUILD, log)
        await world.db.write(
            posts.want,
            GUILD,
            NoticeKind.CREDITS_ASKED,
            "0123456789abcdef",
            at=world.clock.now(),
            details={"asked_in": ASKED_IN, "user": 5, "in_place": int(in_place)},
        )
        world.discord.notice_answers = list(answers)
        async with world.running():

            async def posted() -> bool:
                left = await world.db.read(open_posts)
                return not [one for one in left if one.kind == NoticeKind.CREDITS_ASKED]

            await world.until(posted, "the request to be posted")
        asked = [place for one, place, _ in world.discord.notices if one.kind == NoticeKind.CREDITS_ASKED]
        assert asked == places
