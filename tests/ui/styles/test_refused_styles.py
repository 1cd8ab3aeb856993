"""Styles and defaults that make no sense are refused with what to write instead."""

from pathlib import Path

from bot.ui.styles.saving import save_as_style
from tests.support.desk import open_desk, texts
from tests.support.presses import press as send


async def test_what_has_no_result_is_saved_as_no_style(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        custom_id = save_as_style.id((await desk.job()).id, 0)
        told = await send(desk, desk.maya, await desk.channel_message(custom_id), custom_id)
        assert "Only a job that has a result can be saved as a style." in texts(told)
