"""Forms that take a photo: from the list of tools, from a photo's menu, and to change an earlier job."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.catalog import Catalog, ToolInput
from bot.credits.limits import StartRate
from bot.errors import Refused
from bot.jobs.models import FailureCode, JobState
from bot.servers import settings
from bot.servers.settings import Period, Permit
from bot.ui.jobs.forms import extra_inputs, field_for, inputs_from
from tests.reactions.taps import jobs_of, post
from tests.support import spending
from tests.support.desk import (
    DONE,
    PNG,
    Desk,
    answer_of,
    labelled,
    labels,
    learned,
    make_bot,
    pieces,
    read_alone,
    started,
    texts,
)
from tests.support.posts import tell_end
from tests.support.presses import press
from tests.support.settings import change, restrict
from tests.ui.admin.moderation.waiting import forbid
from tests.ui.jobs.results import fields, files, opened, press_on, source_bytes

ROOM = ("room.heic", PNG + b"room")


@pytest.mark.promise
async def test_photo_inputs_and_go(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    answer = await desk.maya.submit_modal(form, {"image": ROOM, "style": "luxury"})
    assert started(answer)
    job = await desk.job()
    assert ((await desk.photo()).filename, job.photo_author) == ("room.heic", None)
    assert job.inputs == {"style": "luxury", "room": "living"}
    assert source_bytes(desk, job) == ROOM[1]


@pytest.mark.promise
async def test_studio_takes_a_photo_or_none_and_keeps_what_has_no_room(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "studio")
    assert list(fields(form)) == ["image", "prompt", "mode", "quality", "private"]
    assert fields(form)["private"]["description"] == "Aspect ratio: use /studio"
    await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "image", "quality": "high"})
    job = await desk.job()
    assert (job.source, job.inputs["source"], job.inputs["aspect_ratio"]) == (None, "text", "16:9")


@pytest.mark.promise
async def test_a_job_from_a_photos_menu_can_be_private(desk: Desk) -> None:
    message = await post(desk, desk.tom, ("room.png", PNG))
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", message)
    assert fields(form)["private"]["component"]["type"] == 23
    answer = await desk.maya.submit_modal(form, {"private": True})
    assert answer.ephemeral
    assert (await desk.job()).private
    # A menu that asks nothing starts at once; the menu for all tools asks.
    offered = await desk.maya.context_menu(desk.channel, "Studii…", message)
    form = await desk.maya.select(answer_of(offered), ["photo-restore"])
    assert list(fields(form)) == ["private"]


@pytest.mark.promise
async def test_where_private_is_not_allowed_it_is_not_asked(desk: Desk) -> None:
    await desk.resources.db.write(restrict, desk.guild.id, "private", Permit.NOBODY, ())
    form = await opened(desk, desk.maya, "virtual-staging")
    assert "private" not in fields(form)
    await desk.maya.submit_modal(form, {"image": ROOM})
    assert not (await desk.job()).private


@pytest.mark.promise
async def test_edit_can_replace_the_photo_and_keeps_it_otherwise(desk: Desk) -> None:
    message = await post(desk, desk.tom, ("room.png", PNG))
    await desk.maya.context_menu(desk.channel, "Photo restoration", message)
    first = await desk.job()
    await desk.move(first, *DONE, finished_at=desk.clock.now(), output_kind="image")
    await tell_end(desk.delivery, await desk.job(), None)
    result = desk.channel.history()[-1]
    assert labels(result) == ["Run again · about 8 credits", "Edit", "Full size", "More…"]
    form = await desk.maya.click(result, label="Edit")
    upload = fields(form)["image"]
    assert (upload["label"], upload["component"]["required"]) == ("Another photo", False)
    await desk.maya.submit_modal(form, {"image": ROOM})
    assert ((await desk.photo()).filename, (await desk.job()).photo_author) == ("room.heic", None)
    desk.clock.advance(10)
    await desk.maya.submit_modal(await desk.maya.click(result, label="Edit"), {})
    assert ((await desk.photo()).filename, (await desk.job()).photo_author) == ("room.png", desk.tom.id)


@pytest.mark.promise
@pytest.mark.parametrize(("count", "kind"), [(1, 3), (2, 21), (10, 21), (11, 3)])
def test_a_few_values_are_radio_buttons_and_more_are_a_menu(count: int, kind: int) -> None:
    one = ToolInput(name="style", description_texts="Style", suggestions=tuple(map(str, range(count))))
    assert field_for(one, None).to_component_dict()["type"] == kind


@pytest.mark.promise
async def test_the_same_form_sent_again_at_once_starts_nothing_and_says_so(desk: Desk) -> None:
    forms = [await desk.maya.slash(desk.channel, "studio") for _ in range(2)]
    _, told = [await desk.maya.submit_modal(form, {"prompt": "A red kite"}) for form in forms]
    assert "taken as a double click" in read_alone(told)
    desk.clock.advance(10)
    form = await desk.maya.slash(desk.channel, "studio")
    await desk.maya.submit_modal(form, {"prompt": "A red kite"})
    assert len(await jobs_of(desk)) == 2


# Nobody fills in a form for nothing: what is known to be refused is refused before it opens


async def without_starts(desk: Desk) -> None:
    await spending.set_limits(desk.resources, desk.guild.id, rate=StartRate(1, 600))
    await desk.tom.slash(desk.channel, "studio", prompt="A kite")


KEPT_FROM: dict[str, Callable[[Desk], Awaitable[object]]] = {
    "no Studii key yet": lambda desk: desk.db.write(settings.change, desk.guild.id, key_id=None),
    "New jobs are paused": lambda desk: change(desk, "setup", "paused"),
    "the server has 1 of 1 credit left": lambda desk: spending.set_budget(
        desk.resources, desk.guild.id, 1, Period.DAY
    ),
    "reached the limit of 1 job in 10 minutes": without_starts,
}


@pytest.mark.promise
@pytest.mark.parametrize("reason", KEPT_FROM)
async def test_a_form_that_could_start_nothing_does_not_open(desk: Desk, reason: str) -> None:
    await KEPT_FROM[reason](desk)
    message = await post(desk, desk.maya, ("room.png", PNG))
    shown = await desk.tom.context_menu(desk.channel, "Virtual staging", message)
    assert (shown.modal, shown.ephemeral) == (None, True)
    assert reason in texts(shown)


# The price is seen before the press: on Run again, in the list of tools, in forms and at their choices


@pytest.mark.promise
async def test_a_form_names_the_price_of_each_choice_and_the_least_in_its_title(desk: Desk) -> None:
    await learned(desk, 6, mode="image")
    offered = await desk.maya.context_menu(desk.channel, "Studii…", await post(desk, desk.maya, ROOM))
    form: Any = await desk.maya.select(answer_of(offered), ["studio"])
    assert form.modal["title"] == "Studio · from 6 credits"
    modes = fields(form)["mode"]["component"]["options"]
    assert [one["label"] for one in modes] == ["image · 6 credits", "video · about 40 credits"]


@pytest.mark.promise
async def test_run_again_names_what_it_was_charged_and_asks_if_it_is_dearer_now(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.FAILED)
    job = await desk.settle(await desk.move(await desk.job(), *states, failure=FailureCode.STUDII), 8)
    message = await desk.posted_progress(job)
    assert "Run again · about 8 credits" in labels(message)
    await learned(desk, 12, mode="image")
    asked = await press_on(desk, desk.tom, message, "Run again")
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert "That's more than the price you saw." in texts(asked)
    assert len(await jobs_of(desk)) == 1


# What is refused after a form was handed in can be edited: the form comes back as it was filled in


def value_in(field: dict[str, Any]) -> Any:
    """What a field of a form holds when it opens."""
    if "options" in field["component"]:
        return [one["value"] for one in field["component"]["options"] if one.get("default")]
    return field["component"].get("value", field["component"].get("default"))


@pytest.mark.promise
async def test_a_prompt_that_meets_a_rule_comes_back_in_the_form_with_everything_else(desk: Desk) -> None:
    await forbid(desk, "blimp")
    form = await opened(desk, desk.maya, "studio")
    refused = await desk.maya.submit_modal(
        form, {"prompt": "A blimp", "mode": "video", "private": True, "image": ROOM}
    )
    assert "This server's word filter doesn't allow that." in read_alone(refused)
    again = await desk.maya.click(answer_of(refused), custom_id=labelled(refused, "Edit"))
    held = {name: value_in(field) for name, field in fields(again).items()}
    assert (held["prompt"], held["mode"], held["private"]) == ("A blimp", ["video"], True)
    # It can be refused once more, and is nobody's loss.
    refused = await desk.maya.submit_modal(again, {"prompt": "Another blimp", "private": True})
    again = await desk.maya.click(answer_of(refused), custom_id=labelled(refused, "Edit"))
    assert await jobs_of(desk) == []
    answer = await desk.maya.submit_modal(again, {"prompt": "A kite", "mode": "video", "private": True})
    assert answer.ephemeral
    job = await desk.job()
    assert (job.inputs["prompt"], job.inputs["mode"]) == ("A kite", "video")
    assert ((await desk.photo()).filename, job.photo_author, job.private) == ("room.heic", None, True)


@pytest.mark.promise
async def test_too_few_credits_can_be_edited_and_asked_for_and_a_restart_says_so(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "studio")
    await spending.set_budget(desk.resources, desk.guild.id, 10, Period.DAY)
    refused = await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "video"})
    assert labels(refused) == ["Edit", "Ask an admin"]
    stranger = await press(desk, desk.maya, answer_of(refused), "0123456789abcdef")
    assert "the bot has restarted since" in texts(stranger)
    asked = await desk.maya.click(answer_of(refused), label="Ask an admin")
    assert not asked.followups
    assert "An admin was asked for more credits." in texts(refused)


# `extra` and the inputs of presets: what is typed becomes inputs, or a sentence that says what is wrong


@pytest.mark.parametrize(
    ("typed", "inputs"),
    [
        ("seed=42", {"seed": "42"}),
        ("  Seed = 42   mood=warm, ", {"seed": "42", "mood": "warm"}),
        ("style=rustic, room=living room;seed=1", {"style": "rustic", "room": "living room", "seed": "1"}),
        ("mood=“it’s warm” seed=1", {"mood": "it’s warm", "seed": "1"}),
        ("url=https://a.example/?b=c", {"url": "https://a.example/?b=c"}),
        ("note='it=x y=z'", {"note": "it=x y=z"}),
        ("note=it’s, a, list", {"note": "it’s, a, list"}),
        ("a=" + ", " * 400 + "b", {"a": ", " * 400 + "b"}),
    ],
)
def test_pairs_are_read_as_they_were_meant(typed: str, inputs: dict[str, str]) -> None:
    assert inputs_from(typed) == inputs


def test_an_input_that_the_catalogue_does_not_know_keeps_its_case() -> None:
    assert extra_inputs("aspectRatio=16:9", Catalog.load().get("studio")) == {"aspectRatio": "16:9"}


@pytest.mark.parametrize(
    ("typed", "what"),
    [("seed", "seed"), ("4x=1", "4x=1"), ("a=", "a="), ('a=1, b=""', 'b=""'), ('mood="warm light', "mood=")],
)
def test_what_cannot_be_read_is_refused_with_the_place(typed: str, what: str) -> None:
    with pytest.raises(Refused, match=f"“{what}.*isn't a name=value pair"):
        inputs_from(typed)


# Message menus: a member makes something of a picture that is in the channel already

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
async def test_every_photo_tool_has_a_menu_and_the_one_for_all_asks_which_and_then_for_its_inputs(
    desk: Desk,
) -> None:
    menus = {menu.name for menu in desk.bot.tree.get_commands(type=discord.AppCommandType.message)}
    assert menus == {*MENUS, "Studii…"}
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
