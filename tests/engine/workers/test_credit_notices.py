"""A request for more credits goes to the log channel, else where it was asked, else to the owner."""

from pathlib import Path

import pytest

from bot.domain import Announcement, ChannelGone, Posted
from bot.servers import notices, settings as server_settings
from bot.servers.notices import NoticeKind
from tests.engine.world import GUILD, engine_world

ASKED_IN, LOG = 700, 800
Answers = list[Announcement | ChannelGone]


@pytest.mark.parametrize(
    ("log", "in_place", "answers", "places"),
    [
        (LOG, False, [Posted(1)], [LOG]),
        (None, False, [Posted(1)], [ASKED_IN]),
        (LOG, False, [ChannelGone("gone"), Posted(1)], [LOG, ASKED_IN]),
        (LOG, False, [ChannelGone("gone"), ChannelGone("gone"), Posted(1)], [LOG, ASKED_IN, None]),
        (None, False, [ChannelGone("gone"), Posted(1)], [ASKED_IN, None]),
        (LOG, True, [Posted(1)], [ASKED_IN]),
        (LOG, True, [ChannelGone("gone"), Posted(1)], [ASKED_IN, None]),
    ],
)
async def test_a_request_goes_where_admins_read_it(
    tmp_path: Path, log: int | None, *, in_place: bool, answers: Answers, places: list[int | None]
) -> None:
    async with engine_world(tmp_path) as world:
        async with world.storage.write() as transaction:
            await transaction.run(server_settings.set_log, GUILD, log)
            await transaction.run(
                notices.add,
                GUILD,
                NoticeKind.CREDITS_ASKED,
                "0123456789abcdef",
                at=world.clock.now(),
                details={"asked_in": ASKED_IN, "user": 5, "in_place": int(in_place)},
            )
        world.discord.notice_answers = list(answers)
        async with world.running():

            async def posted() -> bool:
                async with world.storage.read() as transaction:
                    left = await transaction.run(notices.pending, 9)
                return not [one for one in left if one.kind is NoticeKind.CREDITS_ASKED]

            await world.until(posted, "the request to be posted")
        asked = [place for one, place, _ in world.discord.notices if one.kind is NoticeKind.CREDITS_ASKED]
        assert asked == places
