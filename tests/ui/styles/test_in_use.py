"""Defaults: a member's own inputs for each tool, and where they count."""

from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult, MemberActor

from tests.reactions.taps import ROOM, STAGING, jobs_of, post, ready
from tests.support.desk import (
    PNG,
    Desk,
    answer_of,
    has_tapped,
    labelled,
    open_desk,
    pieces,
    press_in,
    read_alone,
    texts,
)
from tests.support.settings import add_style, admin, opened, remove_style
from tests.ui.jobs.results import result_of
from tests.ui.styles.test_saving import last_inputs

PHOTO = ("room.png", PNG)


async def prefer(desk: Desk, who: MemberActor, title: str, **inputs: str) -> InteractionResult:
    """Fill in the form of a tool's defaults."""
    shown = await who.slash(desk.channel, "settings")
    form = await press_in(who, shown, title)
    return await who.submit_modal(form, inputs)


@pytest.mark.promise
async def test_a_member_sets_changes_and_clears_their_defaults(desk: Desk) -> None:
    shown = await desk.maya.slash(desk.channel, "settings")
    assert "- 🎨 **Studio**: nothing set\n- 🛋️ **Virtual staging**: nothing set" in read_alone(shown)
    form: Any = await press_in(desk.maya, shown, "Studio")
    fields = [one["component"] for one in form.modal["components"]]
    assert [one["custom_id"] for one in fields] == ["mode", "quality", "aspect_ratio"]
    assert [one["label"] for one in fields[0]["options"]] == [
        "As usual: image",
        "image · about 8 credits",
        "video · about 40 credits",
    ]
    said = await desk.maya.submit_modal(form, {"mode": "—", "quality": "—", "aspect_ratio": "1:1"})
    assert "✅ Your defaults for Studio are set." in texts(said)
    assert "- 🎨 **Studio**: aspect ratio **1:1**" in texts(said)
    for who, shape in ((desk.maya, "1:1"), (desk.tom, "16:9")):
        await who.slash(desk.channel, "studio", prompt="A red kite")
        assert (await last_inputs(desk))["aspect_ratio"] == shape
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", aspect_ratio="3:4")
    assert (await last_inputs(desk))["aspect_ratio"] == "3:4"
    cleared = await prefer(desk, desk.maya, "Studio", mode="—", quality="—", aspect_ratio="—")
    assert "✅ Your defaults for Studio are cleared." in texts(cleared)
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    assert (await last_inputs(desk))["aspect_ratio"] == "16:9"


@pytest.mark.promise
async def test_forms_and_styles_start_from_them(desk: Desk) -> None:
    await prefer(desk, desk.maya, "Virtual staging", style="luxury", room="office")
    panel = await desk.maya.slash(desk.channel, "help")
    form: Any = (await press_in(desk.maya, panel, "Virtual staging")).modal
    fields = {one["component"]["custom_id"]: one["component"] for one in form["components"]}
    chosen = [one["value"] for one in fields["style"]["options"] if one.get("default")]
    assert chosen == ["luxury"]
    await add_style(desk, "Oak", "virtual-staging", inputs="style=oak")
    await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="oak")
    assert await last_inputs(desk) == {"style": "oak", "room": "office"}
    await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="oak", room="dining")
    assert await last_inputs(desk) == {"style": "oak", "room": "dining"}


@pytest.mark.promise
async def test_a_tap_asks_for_what_the_emoji_says_and_a_photo_channel_is_asked_after_the_member(
    desk: Desk,
) -> None:
    await ready(desk)
    await prefer(desk, desk.tom, "Virtual staging", style="luxury", room="office")
    message = await post(desk, desk.maya, ROOM)
    await admin(
        desk,
        "reactions map",
        emoji="🔥",
        tool="virtual-staging",
        inputs="style=rustic",
    )
    for emoji, style in ((STAGING, "luxury"), ("🔥", "rustic")):
        await desk.tom.react(message, emoji)
        assert await last_inputs(desk) == {"style": style, "room": "office"}
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=rustic, room=dining")
    await post(desk, desk.tom, ROOM)
    await desk.env.settle()
    assert await last_inputs(desk) == {"style": "luxury", "room": "office"}
    await post(desk, desk.maya, ROOM)
    await desk.env.settle()
    assert await last_inputs(desk) == {"style": "rustic", "room": "dining"}


@pytest.mark.promise
async def test_run_again_repeats_the_job_and_not_what_its_presser_prefers(desk: Desk, tmp_path: Path) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A red kite")
    await prefer(desk, desk.tom, "Studio", mode="—", quality="—", aspect_ratio="1:1")
    await desk.tom.click(result, custom_id=labelled(result, "Run again"))
    assert (await last_inputs(desk))["aspect_ratio"] == "16:9"


# Styles that an emoji runs, and those that the list of tools for a photo offers


@pytest.mark.promise
async def test_an_emoji_runs_a_style_until_it_is_removed(tmp_path: Path) -> None:
    async with open_desk(tmp_path, tapped_before=False) as desk:
        await ready(desk)
        await add_style(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
        said = await admin(desk, "reactions map", emoji="🔥", style="Oak")
        assert "🔥 the style **“Oak”**: **Virtual staging** (style oak · room office)" in texts(said)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, "🔥")
        asked = texts(desk.channel.history()[-1])
        assert "**Virtual staging** costs about 8 credits. Start it?" in asked
        await desk.db.write(has_tapped, desk.guild.id, desk.maya.id)
        await desk.maya.react(message, "🔥")
        (job,) = await jobs_of(desk)
        assert job.inputs == {"style": "oak", "room": "office"}
        await remove_style(desk, "oak")
        other = await post(desk, desk.tom, ROOM)
        await desk.maya.react(other, "🔥")
        assert len(await jobs_of(desk)) == 1
        assert "🔥" not in texts(await opened(desk, "photos"))


@pytest.mark.promise
async def test_the_list_of_tools_for_a_photo_offers_styles_too(desk: Desk) -> None:
    await ready(desk)
    await add_style(desk, name="Oak", tool="virtual-staging", inputs="style=oak, room=office")
    message = await post(desk, desk.maya, ROOM)
    listed = await desk.maya.context_menu(desk.channel, "Studii…", message)
    (select,) = (piece for piece in pieces(listed) if piece["type"] == 3)
    option = select["options"][-1]
    assert (option["label"], option["description"]) == ("Oak", "about 8 credits · Virtual staging")
    form: Any = await desk.maya.select(answer_of(listed), [option["value"]])
    assert form.modal["title"].startswith("Oak")
    await desk.maya.submit_modal(form, {"style": "oak", "room": "office"})
    assert (await desk.job()).inputs == {"style": "oak", "room": "office"}
