"""Slash commands: what a member types, and what they are answered before anything is spent."""

from pathlib import Path

import discord
import pytest

from bot.catalog import SourceRule, ToolInput
from cogs.tools import suggested
from tests.reactions.taps import jobs_of
from tests.support.desk import BOT_PERMISSIONS, MAX_SOURCE, PNG, Desk, open_desk, read_alone, texts
from tests.ui.jobs.results import fields, source_bytes

PHOTO = ("room.png", PNG)


@pytest.mark.promise
async def test_a_command_is_answered_with_its_progress_for_its_person_alone_and_pings_nobody(
    desk: Desk,
) -> None:
    answer = await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="rustic")
    assert "Virtual staging" in read_alone(answer)
    assert desk.channel.history() == []
    assert "style **rustic** · room **living room**" in texts(answer)
    assert source_bytes(desk, await desk.job()) == PNG
    shown = await desk.maya.slash(desk.channel, "studio", prompt="@everyone <@&1> a red kite")
    sent = [call.json for call in desk.env.http_requests if call.path.endswith("/callback")][-1]
    assert sent is not None
    assert sent["data"].get("allowed_mentions", {"parse": []}) == {"parse": []}
    assert "@everyone" not in texts(shown)


@pytest.mark.promise
async def test_every_tool_of_the_catalogue_is_a_command(desk: Desk) -> None:
    for slug, tool in desk.bot.catalog.tools.items():
        needed = {"prompt": "A red kite"} if tool.source is SourceRule.OPTIONAL else {"image": PHOTO}
        assert tool.title in texts(await desk.maya.slash(desk.channel, slug, **needed))
        assert (await desk.job()).tool == slug


@pytest.mark.promise
async def test_a_photo_option_offers_pictures_alone(desk: Desk) -> None:
    registered = {one["name"]: one for one in desk.env.backend.commands[None].values()}
    for tool in desk.bot.catalog.tools.values():
        filtered = {
            one["name"]: one["file_types"] for one in registered[tool.slug]["options"] if "file_types" in one
        }
        assert filtered == {"image": ["image", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".avif"]}


@pytest.mark.promise
async def test_the_prompt_comes_first_then_the_photo_and_both_can_be_left_to_the_form(desk: Desk) -> None:
    command = desk.env.backend.find_command("studio", desk.guild.id, type=1)
    assert command is not None
    options = [(option["name"], option.get("required", False)) for option in command["options"]]
    assert options[:3] == [("prompt", False), ("image", False), ("mode", False)]
    form = await desk.maya.slash(desk.channel, "studio", mode="video", private=True)
    asked = fields(form)
    assert {"prompt", "image"} <= asked.keys()
    modes = asked["mode"]["component"]["options"]
    assert [one["value"] for one in modes if one.get("default")] == ["video"]
    await desk.maya.submit_modal(form, {"prompt": "Waves at dawn", "mode": "video"})
    job = await desk.job()
    assert (job.inputs["prompt"], job.inputs["mode"], job.private) == ("Waves at dawn", "video", True)
    told = await desk.maya.slash(desk.channel, "studio", prompt="   ")
    assert "Studio needs `prompt`" in texts(told)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (("notes.pdf", b"%PDF-1.7"), "notes.pdf isn't a picture. Send a JPEG, PNG, WebP or HEIC"),
        (("cat.svg", b"<svg/>"), "Studii can't use cat.svg"),
        (("big.png", PNG + b"0" * MAX_SOURCE), "The limit is 5 MB"),
    ],
)
async def test_a_file_that_cannot_be_taken_is_refused_before_anything_is_spent(
    desk: Desk, file: tuple[str, bytes], reason: str
) -> None:
    for command in desk.env.backend.commands[None].values():
        for option in command["options"]:
            option.pop("file_types", None)  # an app that does not know of it
    answer = await desk.maya.slash(desk.channel, "photo-restore", image=file)
    assert reason in read_alone(answer)
    assert await jobs_of(desk) == []


@pytest.mark.promise
@pytest.mark.parametrize(
    ("lost", "name"),
    [
        ({"attach_files": False}, "**Attach Files**"),
        ({"read_message_history": False}, "**Read Message History**"),
        ({"attach_files": False, "send_messages": False}, "**Send Messages** and **Attach Files**"),
    ],
)
async def test_where_the_result_could_not_be_posted_nothing_is_spent(
    desk: Desk, lost: dict[str, bool], name: str
) -> None:
    closed = desk.channel_for_the_bot("closed", **lost)
    answer = await desk.maya.slash(closed, "studio", prompt="A red kite")
    assert name in read_alone(answer)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_in_a_thread_its_own_permission_counts(tmp_path: Path) -> None:
    allowed = BOT_PERMISSIONS | discord.Permissions(create_public_threads=True)
    async with open_desk(tmp_path, permissions=allowed) as desk:
        await desk.set_key()
        channel = desk.channel_for_the_bot("plans", send_messages_in_threads=False)
        await desk.env.settle()
        thread = await desk.thread(channel)
        answer = await desk.maya.slash(thread, "studio", prompt="A red kite")
        assert "**Send Messages in Threads**" in texts(answer)
        assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_suggestions_follow_what_is_typed_and_other_values_are_taken(desk: Desk) -> None:
    offered = await desk.maya.autocomplete(desk.channel, "virtual-staging", "style", "IN", image=PHOTO)
    assert [choice["value"] for choice in offered] == ["scandinavian", "industrial", "minimalist", "IN"]
    await desk.maya.slash(desk.channel, "virtual-staging", image=PHOTO, style="in the style of a ship")
    assert (await desk.job()).inputs["style"] == "in the style of a ship"


def test_there_are_never_more_suggestions_than_discord_shows() -> None:
    one = ToolInput(name="n", description_texts="d", suggestions=tuple(f"a{number}" for number in range(25)))
    assert len(suggested(one, "")) == 25
    assert suggested(one, "a")[-1] == "a"
    assert len(suggested(one, "a")) == 25
