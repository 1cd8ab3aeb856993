"""Styles of a server: added, for everyone or for roles, used, removed; and what is left of their makers."""

from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from bot.features import styles
from bot.features.styles import MAX_STYLES
from tests.support.desk import PNG, Desk, pieces, press_in, press_more, texts
from tests.support.settings import add_style, control, remove_style
from tests.ui.styles.test_saving import result_of, save, styles_of

ROOM = ("room.png", PNG)


async def add(desk: Desk, **options: Any) -> str:
    return texts(await add_style(desk, **options))


@pytest.mark.promise
async def test_an_admin_adds_a_style_that_everyone_can_use(desk: Desk) -> None:
    said = await add(
        desk, name="House style", tool="studio", prompt="{text}, in oils", inputs="aspect_ratio=1:1"
    )
    assert "✅ “House style” is added." in said
    assert f"Studio · this server's style · added by <@{desk.admin.id}>" in said
    (offered,) = await desk.tom.autocomplete(desk.channel, "studio", "style", "house", prompt="x")
    assert offered["name"] == "⭐ House style · this server's"
    again = await desk.tom.autocomplete(desk.channel, "studio", "style", offered["name"], prompt="x")
    assert again == [offered]
    await desk.tom.slash(desk.channel, "studio", prompt="a boat", style=offered["name"])
    inputs = (await desk.job()).inputs
    assert (inputs["prompt"], inputs["aspect_ratio"]) == ("a boat, in oils", "1:1")
    listed = await desk.tom.slash(desk.channel, "styles")
    assert "**This server's**\n🎨 **“House style”**\n-# Studio · with your words" in texts(listed)
    (style,) = await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
    message: Any = listed.response
    await desk.tom.select(message, [style.id], custom_id="studii:styles:show")
    assert "this server's style" in texts(listed)
    assert [one["custom_id"] for one in pieces(listed) if "custom_id" in one] == [
        f"studii:style:use:{style.id}"
    ]
    assert "“House style” is removed." in await remove_style(desk, "HOUSE style")
    assert await styles_of(desk, desk.tom) == []


@pytest.mark.promise
async def test_a_style_for_a_role_is_for_its_members_alone(desk: Desk) -> None:
    editors, writers = desk.guild.create_role("Editors"), desk.guild.create_role("Writers")
    await desk.env.settle()
    rita = desk.guild.add_member(desk.env.create_user("rita"), roles=[writers])
    shown = await add_style(desk, "Oak", "virtual-staging", inputs="style=oak", roles=[editors])
    assert f"for <@&{editors.id}>" in texts(shown)
    assert "Use ·" not in str(list(pieces(shown)))  # admins manage it, and have no such role
    message: Any = shown.response
    roles = control(shown, "studii:style:roles")
    await desk.admin.select(message, [editors, writers], custom_id=roles)
    assert f"is now only for <@&{editors.id}> and <@&{writers.id}>." in texts(shown)
    (offered, *_) = await rita.autocomplete(desk.channel, "virtual-staging", "style", "oak", image=ROOM)
    assert "Oak" not in texts(await desk.tom.slash(desk.channel, "styles"))
    assert "**“Oak”**" in texts(await desk.admin.slash(desk.channel, "styles"))
    forged = await desk.tom.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
    assert f"That style is only for <@&{editors.id}> <@&{writers.id}>." in texts(forged)
    await rita.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
    assert (await desk.job()).inputs["style"] == "oak"
    await desk.admin.select(message, [], custom_id=roles)
    assert "is for everyone now." in texts(shown)
    assert await styles_of(desk, desk.tom) == ["Oak"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "Oak", "tool": "studio"}, "A style needs a prompt or inputs."),
        ({"name": "Oak", "tool": "virtual-staging", "prompt": "x"}, "takes no prompt"),
        ({"name": "Oak", "tool": "studio", "prompt": "oak", "inputs": "prompt=pine"}, "not under *Inputs*"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "colour=red"}, "has no input “colour”"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "room=" + "x" * 101}, "at most 100 characters"),
        ({"name": "Pine", "tool": "virtual-staging", "inputs": "style=pine"}, "already has a style “Pine”"),
        ({"name": "Kite", "tool": "studio", "prompt": "A red kite"}, "word filter"),
    ],
)
async def test_what_can_not_be_a_style_is_refused_with_the_reason_and_edit_keeps_what_was_typed(
    desk: Desk, options: dict[str, str], reason: str
) -> None:
    await add(desk, name="pine", tool="virtual-staging", inputs="style=pine")
    await desk.forbid("red kite")
    refused = await add_style(desk, **options)
    assert reason in texts(refused).replace("pine", "Pine").replace("=Pine", "=pine")
    assert "Nothing was saved." in texts(refused)
    assert len(await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)) == 1
    form: Any = (await press_in(desk.admin, refused, "Edit")).modal
    fields = {one["component"]["custom_id"]: one["component"] for one in form["components"]}
    assert fields["name"]["value"] == options["name"]
    assert [one["value"] for one in fields["tool"]["options"] if one.get("default")] == [options["tool"]]


@pytest.mark.promise
async def test_a_server_has_at_most_fifty_styles(desk: Desk) -> None:
    studio = desk.bot.catalog.get("studio")
    for number in range(MAX_STYLES):
        name = f"{number:02} {'long ' * 9}"
        await desk.save_style(desk.admin, name, studio, {"prompt": "x"}, for_server=True)
    assert "This server has 50 styles, the limit." in await add(desk, name="More", tool="studio", prompt="x")
    shown = texts(await desk.admin.slash(desk.channel, "styles"))
    assert "50 styles of 50" in shown
    assert len(shown) < 4000
    offered = await desk.tom.autocomplete(desk.channel, "studio", "style", "", prompt="x")
    assert len(offered) == 25
    assert all(len(one["name"]) <= 100 for one in offered)


async def picture(desk: Desk, who: MemberActor, name: str, channel: ChannelHandle | None = None) -> list[str]:
    shown = await who.slash(channel or desk.channel, "styles", name=name)
    assert name in texts(shown)
    return [one["items"][0]["media"]["url"] for one in pieces(shown) if one["type"] == 12]


@pytest.mark.promise
async def test_an_admin_makes_a_members_result_a_style_that_shows_it_to_those_who_see_it(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    form = await press_more(desk.admin, result, "Save as style")
    assert [one["component"]["custom_id"] for one in (form.modal or {})["components"]] == [
        "name",
        "prompt",
    ]
    saved = await desk.admin.submit_modal(form, {"name": "Harbour", "prompt": "A harbour"})
    assert "this server's style" in texts(saved)
    assert await picture(desk, desk.tom, "Harbour") == [result.attachments[0].url]
    elsewhere = desk.guild.create_text_channel("elsewhere")
    hidden = Overwrite(desk.guild.id, OverwriteType.ROLE, deny=discord.Permissions(view_channel=True).value)
    desk.env.backend.edit_channel(desk.channel.id, {}, overwrites=[hidden])
    await desk.env.settle()
    assert await picture(desk, desk.tom, "Harbour", elsewhere) == []


@pytest.mark.promise
async def test_erasing_ones_data_removes_own_styles_and_the_name_and_picture_from_the_servers(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.admin, "studio", prompt="A harbour")
    await save(desk.admin, result, name="Mine", owner="mine")
    await save(desk.admin, result, name="Ours", owner="server")
    other = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A boat")
    await save(desk.maya, other, name="Mayas")
    await desk.forget(desk.admin)
    assert await styles_of(desk, desk.admin) == ["Ours"]
    (style,) = await desk.resources.db.read(styles.of, desk.guild.id, styles.OF_SERVER)
    assert (style.made_by, style.job_id) == (None, None)
    assert await picture(desk, desk.tom, "Ours") == []
    assert await styles_of(desk, desk.maya) == ["Mayas", "Ours"]


@pytest.mark.promise
async def test_a_result_from_an_age_restricted_channel_shows_no_picture_and_is_no_servers_style(
    desk: Desk,
    tmp_path: Path,
) -> None:
    result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
    await save(desk.maya, result, name="Harbour")
    desk.restrict_by_age(desk.channel)
    assert await picture(desk, desk.maya, "Harbour") == []
    refused = await press_more(desk.admin, result, "Save as style")
    assert "age-restricted" in texts(refused)
