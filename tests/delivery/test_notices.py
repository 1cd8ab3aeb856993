"""What becomes of a notice that Discord doesn't take."""

from bot import posts
from bot.posts import NotHere, Post
from bot.servers.notices import NoticeKind
from tests.delivery.finished import MESSAGES
from tests.support.desk import Desk
from tests.support.posts import deliver, open_posts


async def told(desk: Desk) -> Post:
    await desk.db.write(
        posts.want,
        desk.guild.id,
        NoticeKind.OUT_OF_CREDITS,
        "1",
        at=desk.clock.now(),
        job_id=None,
        details={},
    )
    return (await desk.db.write(open_posts))[-1]


async def test_a_closed_channel_and_closed_dms_are_no_place_for_notices(desk: Desk) -> None:
    notice = await told(desk)
    kinds: list[type] = []
    for channel_id in (desk.channel.id, None):
        desk.env.inject_error("POST", MESSAGES, status=403, code=50001, times=1)
        kinds.append(type(await deliver(desk, notice, channel_id, None)))
    assert kinds == [NotHere, NotHere]
