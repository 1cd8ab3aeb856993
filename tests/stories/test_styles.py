"""What members and admins save, and what they prefer."""

from pathlib import Path

import pytest

from sandbox.demo.people import until
from tests.stories.world import plain, town


@pytest.mark.promise
async def test_a_saved_style_takes_words_and_defaults_fill_in_what_is_left_out(tmp_path: Path) -> None:
    async with town(tmp_path) as here:

        def asked() -> dict[str, object]:
            return dict(list(here.studii.jobs.values())[-1].request.inputs)

        made = await here.maya.result_after(
            await here.maya.command("studio", prompt="A kite", aspect_ratio="9:16")
        )
        form = await here.maya.press_for_form(await here.maya.press(made, "More…"), "Save as style")
        await here.maya.fill_in(form, {"name": "Dawn", "prompt": "{text} at dawn"})
        form = await here.nora.press_for_form(
            await here.nora.command("styles"), "Add a style for this server…"
        )
        await here.nora.fill_in(form, {"name": "Ours", "tool": ["studio"], "prompt": "{text} in oil"})
        form = await here.tom.press_for_form(await here.tom.command("settings"), "Studio")
        await here.tom.fill_in(form, {"aspect_ratio": "1:1"})
        await here.restart()
        await here.maya.result_after(await here.maya.command("studio", prompt="A lamp", style="dawn"))
        assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A lamp at dawn", "9:16")
        assert "no style “dawn”" in plain(await here.tom.command("studio", prompt="A lamp", style="dawn"))
        await here.tom.result_after(await here.tom.command("studio", prompt="A lamp", style="ours"))
        assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A lamp in oil", "1:1")
        again = await here.tom.press(made, "Run again")
        await here.tom.result_after(again)
        assert (asked()["prompt"], asked()["aspect_ratio"]) == ("A kite", "9:16")
        question = await here.maya.press(await here.maya.command("settings"), "Erase my data…")
        await here.maya.press(question, "Erase in every server")
        await until(lambda: "Keep my data" not in plain(question), "the erasure")
        assert "no styles here yet" in plain(await here.maya.command("styles"))
        await here.stop()
        data = b"".join(file.read_bytes() for file in (here.folder / "data").glob("studii.db*"))
        assert b"A lamp at dawn" not in data
        assert b"A lamp in oil" in data
