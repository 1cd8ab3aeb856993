"""Forms that take a photo: from the list of tools, from a photo's menu, and to change an earlier job."""

from typing import Any

import discord
import pytest
from simcord import InteractionResult, MemberActor

from bot.catalog import SourceRule, Tool, ToolInput
from bot.jobs import queries
from bot.jobs.models import JobState
from bot.servers.access import Permit
from bot.ui.jobs.forms import arrangement_of, field_for
from tests.reactions.taps import post
from tests.support.desk import PNG, Desk, started, texts
from tests.support.posts import tell_end
from tests.support.settings import restrict

ROOM = ("room.heic", PNG + b"room")
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def opened(desk: Desk, by: MemberActor, tool: str) -> InteractionResult:
    """Open a tool's form from the list of tools."""
    listed = await by.slash(desk.channel, "help")
    assert listed.response is not None
    return await by.click(listed.response, custom_id=f"studii:tool:{tool}")


def fields(shown: InteractionResult) -> dict[str, dict[str, Any]]:
    """Return a form's labels by the name of the field in each."""
    assert shown.modal is not None, texts(shown)
    return {one["component"]["custom_id"]: one for one in shown.modal["components"]}


@pytest.mark.promise
async def test_the_list_of_tools_has_a_button_for_each_that_opens_its_form(desk: Desk) -> None:
    for tool in desk.bot.catalog.tools:
        form = fields(await opened(desk, desk.maya, tool))
        upload = form["image"]["component"]
        assert (upload["type"], upload["max_values"]) == (19, 10)
        assert upload["required"] is (tool != "studio")
        assert upload["file_types"][:2] == ["image", ".heic"]


@pytest.mark.promise
async def test_photo_inputs_and_go(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    card = await desk.maya.submit_modal(form, {"image": ROOM, "style": "luxury"})
    assert started(card)
    job = await desk.job()
    assert job.source is not None
    assert (job.source.filename, job.photo_author) == ("room.heic", None)
    assert job.inputs == {"style": "luxury", "room": "living"}
    assert desk.env.backend.cdn.get(job.source.url) == ROOM[1]


@pytest.mark.promise
async def test_studio_takes_a_photo_or_none_and_keeps_what_has_no_room(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "studio")
    assert list(fields(form)) == ["image", "prompt", "mode", "quality", "private"]
    hint = "Aspect ratio: use /studio"
    assert fields(form)["private"]["description"] == hint
    await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "image", "quality": "high"})
    job = await desk.job()
    assert (job.source, job.inputs["source"], job.inputs["aspect_ratio"]) == (None, "text", "16:9")


async def test_a_file_that_is_no_picture_is_refused_and_nothing_is_charged(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "photo-restore")
    told = await desk.maya.submit_modal(form, {"image": ("notes.txt", b"words")})
    assert told.ephemeral
    assert "notes.txt isn't a picture" in texts(told)
    assert await desk.db.read(queries.in_states, list(JobState)) == []


@pytest.mark.promise
async def test_a_job_from_a_photos_menu_can_be_private(desk: Desk) -> None:
    message = await post(desk, desk.tom, ("room.png", PNG))
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", message)
    assert fields(form)["private"]["component"]["type"] == 23
    card = await desk.maya.submit_modal(form, {"private": True})
    assert card.ephemeral
    assert (await desk.job()).private
    # A menu that asks nothing starts at once; the menu for all tools asks.
    offered = await desk.maya.context_menu(desk.channel, "Studii…", message)
    assert offered.response is not None
    form = await desk.maya.select(offered.response, ["photo-restore"])
    assert list(fields(form)) == ["private"]


@pytest.mark.promise
async def test_where_private_is_not_allowed_it_is_not_asked(desk: Desk) -> None:
    await desk.services.db.write(restrict, desk.guild.id, "private", Permit.NOBODY, ())
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
    form = await desk.maya.click(result, label="Edit")
    upload = fields(form)["image"]
    assert (upload["label"], upload["component"]["required"]) == ("Another photo", False)
    await desk.maya.submit_modal(form, {"image": ROOM})
    replaced = await desk.job()
    assert replaced.source is not None
    assert (replaced.source.filename, replaced.photo_author) == ("room.heic", None)
    desk.clock.advance(10)
    await desk.maya.submit_modal(await desk.maya.click(result, label="Edit"), {})
    kept = await desk.job()
    assert kept.source is not None
    assert (kept.source.filename, kept.photo_author) == ("room.png", desk.tom.id)


@pytest.mark.promise
@pytest.mark.parametrize(("count", "kind"), [(1, 3), (2, 21), (10, 21), (11, 3)])
def test_a_few_values_are_radio_buttons_and_more_are_a_menu(count: int, kind: int) -> None:
    one = ToolInput(name="style", description_texts="Style", suggestions=tuple(map(str, range(count))))
    assert field_for(one, None).to_component_dict()["type"] == kind


def test_the_value_of_an_earlier_job_stays_on_offer() -> None:
    one = ToolInput(name="style", description_texts="Style", suggestions=("a", "b"), default="a")
    field = field_for(one, "rustic")
    assert isinstance(field, discord.ui.RadioGroup)
    assert [each.value for each in field.options] == ["rustic", "a", "b"]
    assert [each.value for each in field.options if each.default] == ["rustic"]


def test_what_changes_the_price_comes_before_the_rest_and_leaves_room_for_only_i_see_it() -> None:
    def one(name: str, **more: Any) -> ToolInput:
        return ToolInput(name=name, description_texts=name, **more)

    tool = Tool(
        slug="tool",
        title_texts="Tool",
        summary_texts="Tool",
        emoji="🎨",
        source=SourceRule.NONE,
        output="image",
        assumed_cost=1,
        inputs=(
            one("shape"),
            *(one(f"price{number}", price=True) for number in range(3)),
            one("prompt", long=True, required=True),
            one("seed"),
        ),
    )

    def names(room: int, *, private: bool = True) -> tuple[list[str], bool, list[str], list[str]]:
        found = arrangement_of(tool, room, private=private)
        shown = [[each.name for each in part] for part in (found.first, found.last, found.left_out)]
        return shown[0], found.private, shown[1], shown[2]

    everything = ["price0", "price1", "price2"]
    assert names(5) == (["prompt", *everything], True, [], ["shape", "seed"])
    assert names(4) == (["prompt", "price0", "price1"], True, [], ["price2", "shape", "seed"])
    assert names(5, private=False) == (["prompt", *everything], False, ["shape"], ["seed"])
    assert names(1) == (["prompt"], False, [], [*everything, "shape", "seed"])


@pytest.mark.promise
async def test_the_same_form_sent_again_at_once_starts_nothing_and_says_so(desk: Desk) -> None:
    forms = [await desk.maya.slash(desk.channel, "studio") for _ in range(2)]
    filled = {"prompt": "A red kite"}
    await desk.maya.submit_modal(forms[0], filled)
    told = await desk.maya.submit_modal(forms[1], filled)
    assert told.ephemeral
    assert "taken as a double click" in texts(told)
    desk.clock.advance(10)
    await desk.maya.submit_modal(await desk.maya.slash(desk.channel, "studio"), filled)
    assert len(await desk.db.read(queries.in_states, list(JobState))) == 2
