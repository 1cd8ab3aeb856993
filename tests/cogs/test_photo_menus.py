"""Message menus: a member makes something of a picture that is in the channel already."""

from pathlib import Path

import discord
import pytest

from tests.reactions.taps import jobs_of
from tests.support.desk import DONE, PNG, Desk, answer_of, labelled, make_bot, pieces, read_alone, texts
from tests.support.posts import tell_end
from tests.ui.jobs.results import fields, files, source_bytes

MENUS = {
    "Virtual staging": "virtual-staging",
    "Photo restoration": "photo-restore",
    "Product background": "product-background",
    "Career portrait": "career-photo",
}


async def photo_of_tom(desk: Desk, *names: str) -> discord.Message:
    files = [(name, PNG + name.encode()) for name in names or ("room.png",)]
    return await desk.tom.send(desk.channel, "Look", attachments=files)


@pytest.mark.promise
async def test_every_photo_tool_has_a_menu_and_studii_has_one_for_all(desk: Desk) -> None:
    menus = {menu.name for menu in desk.bot.tree.get_commands(type=discord.AppCommandType.message)}
    assert menus == {*MENUS, "Studii…"}


@pytest.mark.promise
async def test_a_tool_that_asks_nothing_starts_at_once(desk: Desk) -> None:
    message = await photo_of_tom(desk)
    for menu in ("Photo restoration", "Product background", "Career portrait"):
        answer = await desk.tom.context_menu(desk.channel, menu, message)
        assert "Fetching your photo" in texts(answer)
        job = await desk.job()
        assert (job.tool, job.user_id) == (MENUS[menu], desk.tom.id)
        assert source_bytes(desk, job) == PNG + b"room.png"


@pytest.mark.promise
async def test_a_tool_with_inputs_asks_for_them_in_a_form_that_is_filled_in(desk: Desk) -> None:
    message = await photo_of_tom(desk)
    shown = await desk.maya.context_menu(desk.channel, "Virtual staging", message)
    assert [one["label"] for one in fields(shown).values()] == ["Just for me", "Style", "Room"]
    styles = fields(shown)["style"]["component"]["options"]
    assert [one["value"] for one in styles if one.get("default")] == ["modern"]
    assert await jobs_of(desk) == []
    answer = await desk.maya.submit_modal(shown, {"style": "luxury", "room": "office"})
    assert "Fetching your photo" in texts(answer)
    job = await desk.job()
    assert (job.inputs, job.user_id) == ({"style": "luxury", "room": "office"}, desk.maya.id)


@pytest.mark.promise
async def test_of_several_pictures_one_is_chosen(desk: Desk) -> None:
    message = await photo_of_tom(desk, "hall.png", "garden.png")
    shown = await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    assert [one["label"] for one in fields(shown).values()] == ["Picture", "Just for me"]
    assert [one["label"] for one in fields(shown)["image"]["component"]["options"]] == [
        "All 2 · about 16 credits",
        "1. hall.png",
        "2. garden.png",
    ]
    await desk.maya.submit_modal(shown, {"image": ["1"]})
    assert (await desk.photo()).filename == "garden.png"


@pytest.mark.promise
async def test_the_menu_for_all_asks_which_tool_and_then_for_its_inputs(desk: Desk) -> None:
    message = await photo_of_tom(desk)
    offered = await desk.maya.context_menu(desk.channel, "Studii…", message)
    assert offered.ephemeral
    (select,) = (piece for piece in pieces(offered) if piece["type"] == 3)
    assert [one["value"] for one in select["options"]] == list(desk.bot.catalog.tools)
    shown = await desk.maya.select(answer_of(offered), ["studio"])
    assert [one["label"] for one in fields(shown).values()] == [
        "Prompt",
        "Mode",
        "Quality",
        "Just for me",
        "Aspect ratio",
    ]
    given = {"prompt": "At night", "mode": "image", "quality": "high", "aspect_ratio": "1:1"}
    await desk.maya.submit_modal(shown, given)
    job = await desk.job()
    assert (job.tool, job.inputs["source"], job.inputs["quality"]) == ("studio", "image", "high")


@pytest.mark.promise
async def test_a_message_without_a_picture_is_told_so(desk: Desk) -> None:
    message = await desk.tom.send(desk.channel, "Nothing here", attachments=[("notes.txt", b"words")])
    for menu in (*MENUS, "Studii…"):
        answer = await desk.maya.context_menu(desk.channel, menu, message)
        assert "That message has no picture" in read_alone(answer)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_the_same_wish_twice_in_a_moment_is_one_job(desk: Desk) -> None:
    message = await photo_of_tom(desk)
    for _ in range(2):
        await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    desk.clock.advance(10)
    await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    assert len(await jobs_of(desk)) == 2


@pytest.mark.promise
async def test_menus_and_buttons_need_no_message_content_intent(desk: Desk, tmp_path: Path) -> None:
    message = await photo_of_tom(desk, "hall.png", "garden.png")
    desk.env.approved_intents = discord.Intents.none()
    given = desk.bot.catalog, desk.clock, desk.resources
    bot, delivery = make_bot(*given, intents=discord.Intents(guilds=True))
    await desk.env.restart_bot(bot)
    shown = await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    await desk.maya.submit_modal(shown, {"image": ["1"]})
    job = await desk.job()
    assert ((await desk.photo()).filename, job.photo_author) == ("garden.png", desk.tom.id)
    job = await desk.move(job, *DONE, finished_at=desk.clock.now(), output_kind="image")
    await tell_end(delivery, job, files(tmp_path, before=False))
    result = desk.channel.history()[-1]
    await desk.tom.click(result, custom_id=labelled(result, "Run again"))
    assert (await desk.job()).user_id == desk.tom.id
    await desk.maya.context_menu(desk.channel, "Product background", result)
    assert (await desk.job()).photo_author == desk.tom.id
