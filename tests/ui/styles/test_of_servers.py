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
from bot.jobs import transitions
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, labelled, open_desk, pieces, texts
from tests.ui.styles.test_saving import press, result_of, save, styles_of

ROOM = ("room.png", PNG)


async def add(desk: Desk, **options: Any) -> str:
    return texts(await desk.admin.slash(desk.channel, "studii styles add", **options))


async def test_an_admin_adds_a_style_that_everyone_can_use(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        assert "This server has no styles yet." in texts(
            await desk.admin.slash(desk.channel, "studii styles show")
        )
        said = await add(
            desk, name="House style", tool="studio", prompt="{text}, in oils", inputs="aspect_ratio=1:1"
        )
        assert "✅ “House style” is added, for everyone." in said
        assert "- 🎨 **“House style”** · Studio · with your words" in said
        (offered,) = await desk.tom.autocomplete(desk.channel, "studio", "style", "house", prompt="x")
        assert offered["name"] == "⭐ House style · this server's"
        again = await desk.tom.autocomplete(desk.channel, "studio", "style", offered["name"], prompt="x")
        assert again == [offered]
        await desk.tom.slash(desk.channel, "studio", prompt="a boat", style=offered["name"])
        inputs = (await desk.job()).inputs
        assert (inputs["prompt"], inputs["aspect_ratio"]) == ("a boat, in oils", "1:1")
        assert "**This server's**\n- 🎨 **“House style”**" in texts(
            await desk.tom.slash(desk.channel, "styles")
        )
        shown = texts(await desk.admin.slash(desk.channel, "studii styles show", name="house style"))
        assert f"Studio · this server's style · added by <@{desk.admin.id}>" in shown
        removed = await desk.admin.slash(desk.channel, "studii styles remove", name="HOUSE style")
        assert "“House style” is removed." in texts(removed)
        assert await styles_of(desk, desk.tom) == []


@pytest.mark.promise
async def test_a_style_for_a_role_is_for_its_members_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        editors, writers = desk.guild.create_role("Editors"), desk.guild.create_role("Writers")
        rita = desk.guild.add_member(desk.env.create_user("rita"), roles=[writers])
        assert f"for <@&{editors.id}>" in await add(
            desk, name="Oak", tool="virtual-staging", inputs="style=oak", role=editors
        )
        assert f"is for <@&{writers.id}> now." in await add(desk, name="oak", role=writers)
        (offered, *_) = await rita.autocomplete(desk.channel, "virtual-staging", "style", "oak", image=ROOM)
        assert "Oak" not in texts(await desk.tom.slash(desk.channel, "styles"))
        forged = await desk.tom.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
        assert f"That style is only for <@&{editors.id}> <@&{writers.id}>." in texts(forged)
        await rita.slash(desk.channel, "virtual-staging", image=ROOM, style=offered["value"])
        assert (await desk.job()).inputs["style"] == "oak"
        for role in (editors, writers):
            told = await desk.admin.slash(desk.channel, "studii styles remove", name="Oak", role=role)
        assert "Everyone can use it now." in texts(told)
        assert await styles_of(desk, desk.tom) == ["Oak"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "Oak"}, "A new style needs a `tool`."),
        ({"name": "Oak", "tool": "nonsense"}, "isn't available here"),
        ({"name": "Oak", "tool": "studio"}, "needs a `prompt` or `inputs`"),
        ({"name": "Oak", "tool": "virtual-staging", "prompt": "x"}, "takes no prompt"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "colour=red"}, "has no input “colour”"),
        ({"name": "Oak", "tool": "virtual-staging", "inputs": "room=" + "x" * 101}, "at most 100 characters"),
        ({"name": "Pine", "tool": "virtual-staging", "inputs": "style=pine"}, "already has a style “Pine”"),
        ({"name": "Kite", "tool": "studio", "prompt": "A red kite"}, "word filter"),
    ],
)
async def test_what_can_not_be_a_style_is_refused_with_the_reason(
    tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        await add(desk, name="pine", tool="virtual-staging", inputs="style=pine")
        await desk.forbid("red kite")
        said = (await add(desk, **options)).replace("pine", "Pine")
        assert reason in said
        assert "Nothing was saved." in said or "isn't available" in said
        assert len(await desk.services.db.read(styles.of_server, desk.guild.id)) == 1


@pytest.mark.promise
async def test_a_server_has_at_most_fifty_styles(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        studio = desk.bot.catalog.get("studio")
        for number in range(MAX_STYLES):
            name = f"{number:02} {'long ' * 9}"
            await desk.save_style(desk.admin, name, studio, {"prompt": "x"}, for_server=True)
        assert "This server has 50 styles, the limit." in await add(
            desk, name="More", tool="studio", prompt="x"
        )
        shown = texts(await desk.admin.slash(desk.channel, "studii styles show"))
        assert "50 styles of 50" in shown
        assert "more" in shown.splitlines()[-2]
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
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        form = await desk.admin.click(result, custom_id=labelled(result, "Save as style"))
        assert [one["component"]["custom_id"] for one in (form.modal or {})["components"]] == [
            "name",
            "prompt",
        ]
        saved = await desk.admin.submit_modal(form, {"name": "Harbour", "prompt": "A harbour"})
        assert "this server's style" in texts(saved)
        assert await picture(desk, desk.tom, "Harbour") == [result.attachments[0].url]
        elsewhere = desk.guild.create_text_channel("elsewhere")
        hidden = Overwrite(
            desk.guild.id, OverwriteType.ROLE, deny=discord.Permissions(view_channel=True).value
        )
        desk.env.backend.edit_channel(desk.channel.id, {}, overwrites=[hidden])
        await desk.env.settle()
        assert await picture(desk, desk.tom, "Harbour", elsewhere) == []


@pytest.mark.promise
async def test_own_and_server_styles_of_one_name_are_two_and_ones_own_comes_first(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        result = await result_of(desk, tmp_path, desk.admin, "studio", prompt="A harbour", aspect_ratio="1:1")
        await save(desk.admin, result, name="Harbour", owner="mine", prompt="A harbour")
        await save(desk.admin, result, name="Harbour", owner="server", prompt="A large harbour")
        assert await styles_of(desk, desk.admin) == ["Harbour", "Harbour"]
        for who, prompt in ((desk.admin, "A harbour, x"), (desk.tom, "A large harbour, x")):
            await who.slash(desk.channel, "studio", prompt="x", style="harbour")
            assert (await desk.job()).inputs["prompt"] == prompt


@pytest.mark.promise
async def test_erasing_ones_data_removes_own_styles_and_the_name_and_picture_from_the_servers(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        result = await result_of(desk, tmp_path, desk.admin, "studio", prompt="A harbour")
        await save(desk.admin, result, name="Mine", owner="mine")
        await save(desk.admin, result, name="Ours", owner="server")
        other = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A boat")
        await save(desk.maya, other, name="Mayas")
        await desk.forget(desk.admin)
        assert await styles_of(desk, desk.admin) == ["Ours"]
        (style,) = await desk.services.db.read(styles.of_server, desk.guild.id)
        assert (style.made_by, style.job_id) == (None, None)
        assert await picture(desk, desk.tom, "Ours") == []
        assert await styles_of(desk, desk.maya) == ["Mayas", "Ours"]


@pytest.mark.promise
async def test_when_the_posting_is_gone_a_style_is_shown_without_its_picture(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        await save(desk.maya, result, name="Harbour")
        assert len(await picture(desk, desk.maya, "Harbour")) == 1
        await desk.maya.click(result, custom_id=labelled(result, "Delete"))
        assert await picture(desk, desk.maya, "Harbour") == []
        shown = await desk.maya.slash(desk.channel, "styles", name="Harbour")
        assert (await press(desk.maya, shown, "Use")).modal is not None


@pytest.mark.promise
async def test_a_result_from_an_age_restricted_channel_shows_no_picture_and_is_no_servers_style(
    tmp_path: Path,
) -> None:
    async with open_desk(tmp_path) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        await save(desk.maya, result, name="Harbour")
        desk.restrict_by_age(desk.channel)
        assert await picture(desk, desk.maya, "Harbour") == []
        refused = await desk.admin.click(result, custom_id=labelled(result, "Save as style"))
        assert "age-restricted" in texts(refused)


async def test_a_result_in_a_private_thread_is_shown_to_its_person_alone(tmp_path: Path) -> None:
    in_threads = BOT_PERMISSIONS | discord.Permissions(
        create_private_threads=True, send_messages_in_threads=True
    )
    async with open_desk(tmp_path, permissions=in_threads) as desk:
        result = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A harbour")
        await save(desk.admin, result, name="Harbour")
        parent = desk.bot.get_channel(desk.channel.id)
        assert isinstance(parent, discord.TextChannel)
        await parent.create_thread(name="drafts", type=discord.ChannelType.private_thread)
        (thread,) = desk.channel.threads
        job = await desk.job()
        place = desk.bot.get_channel(thread.id)
        assert isinstance(place, discord.Thread)
        sent = await place.send(file=await result.attachments[0].to_file())
        await desk.db.write(
            transitions.change, job.id, result_message_id=sent.id, result_channel_id=thread.id
        )
        assert await picture(desk, desk.tom, "Harbour") == []
        assert len(await picture(desk, desk.maya, "Harbour")) == 1
