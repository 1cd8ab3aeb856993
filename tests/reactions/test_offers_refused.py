"""What a mention of the bot says where no tool takes it, or Discord doesn't show the message."""

from pathlib import Path

from msgspec.structs import replace

from bot.catalog import Catalog, SourceRule
from tests.reactions.taps import ROOM, jobs_of
from tests.reactions.test_mentions import answer_to, mention
from tests.support.desk import open_desk, press_more, texts
from tests.ui.styles.test_saving import result_of


async def test_a_message_that_discord_does_not_show_now_starts_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        message = await mention(desk, desk.maya, "", ROOM)
        offer = answer_to(desk, message)
        assert offer is not None
        path = f"/channels/{desk.channel.id}/messages/{message.id}"
        desk.env.inject_error("GET", path, status=503, times=None)
        told = await desk.maya.click(offer, label="Photo restoration · about 8 credits")
        assert "Discord didn't show me your message. Try again in a moment. Nothing was charged." in texts(
            told
        )
        assert await jobs_of(desk) == []


async def test_where_no_tool_takes_words_a_mention_says_so(tmp_path: Path) -> None:
    restore = Catalog.load().get("photo-restore")
    async with open_desk(tmp_path, catalog=Catalog({restore.slug: restore})) as desk:
        await desk.set_key()
        told = answer_to(desk, await mention(desk, desk.maya, "a red kite"))
        assert "No tool here can use that. `/help` shows what you can make." in texts(told)


async def test_where_no_tool_takes_a_photo_a_result_is_used_in_none(tmp_path: Path) -> None:
    studio = Catalog.load().get("studio")
    tool = replace(studio, source=SourceRule.NONE)
    async with open_desk(tmp_path, catalog=Catalog({"studio": tool})) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        told = await press_more(desk.maya, result, "Use in…")
        assert "No tool here takes a photo." in texts(told)
