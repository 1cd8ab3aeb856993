"""Word rules, and the notice about a request that they refused."""

from sqlalchemy import text

from bot.domain import Notice, NoticeKind
from tests.support.desk import Desk, texts

REFUSED = "This server's word filter doesn't allow that. Change the wording and try again"


async def forbid(desk: Desk, *words: str) -> str:
    """An admin adds rules; the last answer is returned."""
    said = ""
    for one in words:
        said = texts(await desk.admin.slash(desk.channel, "studii words add", words=one))
    return said


async def notices(desk: Desk) -> list[dict[str, str | int | None]]:
    async with desk.storage.read() as transaction:
        pending = await transaction.notices.pending(10)
    return [dict(one.details) for one in pending if one.kind is NoticeKind.WORDS]


async def kept(desk: Desk) -> str:
    """Return the details of all notices, as the database has them."""
    async with desk.storage.read() as transaction:
        session = transaction.notices._session  # pyright: ignore[reportPrivateUsage] # no part of the bot asks
        rows = await session.execute(text("SELECT details FROM notices"))
        return str(rows.all())


async def last_notice(desk: Desk) -> Notice:
    async with desk.storage.read() as transaction:
        return (await transaction.notices.pending(10))[-1]


async def posted(desk: Desk) -> str:
    """Post the last notice in a log channel, and return what is read there."""
    log = desk.guild.create_text_channel("log")
    await desk.delivery.post_notice(await last_notice(desk), log.id, None)
    return texts(log.history()[-1])
