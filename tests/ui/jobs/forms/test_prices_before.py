"""The price is seen before the press: on Run again, in the list of tools, in forms and at their choices."""

from pathlib import Path
from typing import Any

import pytest

from bot.credits import charges
from bot.jobs.models import FailureCode, JobState
from bot.servers import keys
from bot.ui.jobs.wording import again_label
from tests.support.desk import PNG, Desk, pieces, started, texts
from tests.support.jobs import staging
from tests.ui.jobs.forms.test_tool_form import opened
from tests.ui.jobs.results.test_result_buttons import jobs, press, staged

ROOM = ("room.png", PNG)


def options(shown: Any, name: str) -> dict[str, str]:
    """The values and labels of a field of a form."""
    assert shown.modal is not None
    fields = [piece["component"] for piece in shown.modal["components"] if "component" in piece]
    (field,) = (one for one in fields if one.get("custom_id") == name)
    return {one["value"]: one["label"] for one in field["options"]}


async def learned(desk: Desk, mode: str, charge: int) -> None:
    tool = desk.bot.catalog.get("studio")
    key = await desk.db.write(keys.current, desk.guild.id)
    assert key is not None
    variant = tool.variant(tool.prepare({"prompt": "x", "mode": mode}, has_source=False))
    await desk.db.write(charges.learn, key.lane, "studio", variant, charge, desk.clock.now())


@pytest.mark.promise
async def test_a_form_names_the_price_of_each_choice_and_the_least_in_its_title(desk: Desk) -> None:
    await learned(desk, "image", 6)
    await desk.maya.send(desk.channel, "Look", attachments=[ROOM])
    offered = await desk.maya.context_menu(desk.channel, "Studii…", desk.channel.history()[-1])
    assert offered.response is not None
    form = await desk.maya.select(offered.response, ["studio"])
    assert form.modal is not None
    assert form.modal["title"] == "Studio · from 6 credits"
    assert options(form, "mode") == {"image": "image · 6 credits", "video": "video · about 40 credits"}


@pytest.mark.promise
async def test_a_form_without_such_choices_names_the_price_in_its_title(desk: Desk) -> None:
    await desk.maya.send(desk.channel, "Look", attachments=[ROOM])
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", desk.channel.history()[-1])
    assert form.modal is not None
    assert form.modal["title"] == "Virtual staging · about 8 credits"
    assert options(form, "style")["luxury"] == "luxury"


@pytest.mark.promise
async def test_use_in_names_the_price_of_each_tool(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    offered = await press(desk, desk.tom, message, "Use in…")
    (select,) = (piece for piece in pieces(offered) if piece["type"] == 3)
    prices = {one["value"]: one["description"].split(" · ")[0] for one in select["options"]}
    assert prices["photo-restore"] == "about 8 credits"
    assert prices["studio"] == "from about 8 credits"


@pytest.mark.promise
async def test_run_again_names_what_it_was_charged_and_asks_if_it_is_dearer_now(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.FAILED)
    job = await desk.settle(await desk.move(await desk.job(), *states, failure=FailureCode.STUDII), 8)
    message = await desk.card(job)
    assert "Run again · about 8 credits" in [piece.get("label") for piece in pieces(message)]
    await learned(desk, "image", 12)
    asked = await press(desk, desk.tom, message, "Run again")
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert "That's more than the price you saw." in texts(asked)
    assert len(await jobs(desk)) == 1


@pytest.mark.promise
async def test_a_choice_in_a_form_that_has_become_dearer_is_asked_about(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "studio")
    begun = await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "video"})
    assert started(begun)  # the price that stood at the choice
    form = await opened(desk, desk.maya, "studio")
    await learned(desk, "image", 12)
    asked = await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "image"})
    assert "Studio costs 12 credits. Start it?" in texts(asked)
    assert "That's more than the price you saw." in texts(asked)
    assert len(await jobs(desk)) == 1


def test_the_price_of_another_run_is_what_the_last_one_cost() -> None:
    made = staging(state=JobState.SUCCEEDED, settled=12, reserved=0)
    assert again_label(made) == "Run again · 12 credits"
    failed = staging(state=JobState.FAILED, settled=0, reserved=0)
    assert again_label(failed) == "Run again · about 8 credits"
    free = staging(state=JobState.SUCCEEDED, settled=0, reserved=0)
    assert again_label(free) == "Run again · about 8 credits"
