"""What a mention of the bot says where no tool takes it, or Discord doesn't show the message."""

from pathlib import Path

from msgspec.structs import replace

from bot.catalog import Catalog, SourceRule
from tests.support.desk import open_desk, press_more, texts
from tests.ui.styles.test_saving import result_of


async def test_where_no_tool_takes_a_photo_a_result_is_used_in_none(tmp_path: Path) -> None:
    studio = Catalog.load().get("studio")
    tool = replace(studio, source=SourceRule.NONE)
    async with open_desk(tmp_path, catalog=Catalog({"studio": tool})) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        told = await press_more(desk.maya, result, "Use in…")
        assert "No tool here takes a photo." in texts(told)
