"""Styles and defaults that make no sense are refused with what to write instead."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from bot.catalog import Catalog
from bot.tool_inputs import ToolInput
from bot.ui.jobs.results.result import SAVE
from bot.ui.kit.buttons import custom_id_of
from tests.support.desk import Desk, open_desk, texts
from tests.support.presses import press as send
from tests.ui.jobs.forms.test_tool_form import fields
from tests.ui.styles.test_saving import press


async def add(desk: Desk, **options: Any) -> str:
    return texts(await desk.admin.slash(desk.channel, "studii styles add", name="Oak", **options))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tool": "photo-restore", "inputs": "style=oak"}, "Photo restoration has no inputs to set."),
        (
            {"tool": "studio", "prompt": "oak", "inputs": "prompt=pine"},
            "Write the prompt under `prompt`, not under `inputs`.",
        ),
    ],
)
async def test_what_a_style_cannot_hold_is_refused(
    tmp_path: Path, options: dict[str, str], said: str
) -> None:
    async with open_desk(tmp_path) as desk:
        assert f"{said} Nothing was saved." in await add(desk, **options)


async def test_a_style_is_not_limited_to_the_role_of_everyone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        told = await add(desk, tool="studio", prompt="oak", role=desk.guild.default_role)
        assert "Everyone already has that role. Leave out `role`, so that everyone can use the style." in told


async def test_what_has_no_result_is_saved_as_no_style(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
        custom_id = custom_id_of(SAVE, (await desk.job()).id, 0)
        told = await send(desk, desk.maya, await desk.channel_message(custom_id), custom_id)
        assert "Only a job that has a result can be saved as a style." in texts(told)


async def test_a_style_that_its_tool_has_left_behind_is_marked_in_the_list(tmp_path: Path) -> None:
    studio = Catalog.load().get("studio")
    tool = replace(studio, inputs=tuple(one for one in studio.inputs if one.name != "aspect_ratio"))
    async with open_desk(tmp_path, catalog=Catalog({"studio": tool})) as desk:
        inputs = {"prompt": "A harbour", "aspect_ratio": "1:1"}
        await desk.save_style(desk.maya, "Dawn", studio, inputs)
        shown = texts(await desk.maya.slash(desk.channel, "styles"))
        assert "**“Dawn”** · Studio · ⚠️ no longer fits" in shown


async def test_a_form_of_a_style_says_where_its_words_go(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await add(desk, tool="studio", prompt="in oils")
        shown = await desk.maya.slash(desk.channel, "styles", name="oak")
        form = await press(desk.maya, shown, "Use")
        said = fields(form)["prompt"]["description"]
        assert said == "Optional. Your words are added to: in oils"


async def test_very_long_defaults_are_counted_and_a_choice_without_a_usual_value_says_so(
    tmp_path: Path,
) -> None:
    shipped = Catalog.load().get("virtual-staging")
    names = [f"a-name-of-some-length-{number}" for number in range(9)]
    more = tuple(ToolInput(name=name, description_texts="More", suggestions=("one", "two")) for name in names)
    tool = replace(shipped, inputs=more)
    async with open_desk(tmp_path, catalog=Catalog({tool.slug: tool})) as desk:
        form: Any = (await desk.maya.slash(desk.channel, "defaults", tool="virtual-staging")).modal
        (first, *_) = form["components"][0]["component"]["options"]
        assert first["label"] == "As usual"
        for name in names:
            options = {"tool": "virtual-staging", "input": name, "value": "x" * 40}
            await desk.maya.slash(desk.channel, "defaults", **options)
        shown = texts(await desk.maya.slash(desk.channel, "defaults"))
        assert "- 🛋️ **Virtual staging**: 9 inputs" in shown
