"""Word rules, and the notice about a request that they refused."""

from sqlalchemy import text

from bot.posts import Post
from bot.servers.notices import NoticeKind
from tests.support.desk import Desk, texts
from tests.support.posts import deliver, open_posts
from tests.support.settings import change

REFUSED = "This server's word filter doesn't allow that. Change the wording and try again"


async def forbid(desk: Desk, *words: str) -> str:
    """An admin adds rules; the last answer is returned."""
    said = ""
    for one in words:
        said = await change(desk, "moderation words", "rules", words=one, then=["refuse"])
    return said


async def notices(desk: Desk) -> list[dict[str, str | int | None]]:
    pending = await desk.db.read(open_posts)
    return [dict(one.details) for one in pending if one.kind == NoticeKind.WORDS]


async def kept(desk: Desk) -> str:
    """Return the details of all notices, as the database has them."""
    asked = text("SELECT details FROM posts")
    return str(await desk.services.db.read(lambda session: session.execute(asked).all()))


async def last_notice(desk: Desk) -> Post:
    waiting = await desk.db.read(open_posts)
    return [one for one in waiting if one.kind != NoticeKind.CHANGED][-1]


async def posted(desk: Desk) -> str:
    """Post the last notice in a log channel, and return what is read there."""
    log = desk.guild.create_text_channel("log")
    await deliver(desk, await last_notice(desk), log.id, None)
    return texts(log.history()[-1])
