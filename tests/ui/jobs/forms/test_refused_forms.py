"""What is refused after a form was handed in can be edited: the form comes back as it was filled in."""

from typing import Any

import pytest
from simcord import InteractionResult

from bot.domain.guilds import Period
from tests.reactions.taps import jobs_of, post
from tests.support import spending
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.presses import press
from tests.ui.admin.moderation.waiting import forbid
from tests.ui.jobs.forms.test_tool_form import ROOM, fields, opened


def value_in(field: dict[str, Any]) -> Any:
    """What a field of a form holds when it opens."""
    if "options" in field["component"]:
        return [one["value"] for one in field["component"]["options"] if one.get("default")]
    return field["component"].get("value", field["component"].get("default"))


def edit_of(refused: InteractionResult) -> str:
    (edit,) = (piece for piece in pieces(refused) if piece.get("label") == "Edit")
    return str(edit["custom_id"])


@pytest.mark.promise
async def test_a_prompt_that_meets_a_rule_comes_back_in_the_form_with_everything_else(desk: Desk) -> None:
    await forbid(desk, "blimp")
    form = await opened(desk, desk.maya, "studio")
    wanted = {"prompt": "A blimp", "mode": "video", "private": True, "image": ROOM}
    refused = await desk.maya.submit_modal(form, wanted)
    assert refused.ephemeral
    assert "This server's word filter doesn't allow that." in texts(refused)
    assert refused.response is not None
    again = await desk.maya.click(refused.response, custom_id=edit_of(refused))
    held = {name: value_in(field) for name, field in fields(again).items()}
    assert (held["prompt"], held["mode"], held["private"]) == ("A blimp", ["video"], True)
    # It can be refused once more, and is nobody's loss.
    refused = await desk.maya.submit_modal(again, {"prompt": "Another blimp", "private": True})
    assert refused.response is not None
    again = await desk.maya.click(refused.response, custom_id=edit_of(refused))
    assert await jobs_of(desk) == []
    card = await desk.maya.submit_modal(again, {"prompt": "A kite", "mode": "video", "private": True})
    assert card.ephemeral
    job = await desk.job()
    assert job.source is not None
    assert (job.inputs["prompt"], job.inputs["mode"]) == ("A kite", "video")
    assert (job.source.filename, job.photo_author, job.private) == ("room.heic", None, True)


@pytest.mark.promise
async def test_the_choice_among_a_messages_photos_is_kept_and_the_photos_stay_their_authors(
    desk: Desk,
) -> None:
    await forbid(desk, "luxury")
    photos = [(f"room{number}.png", PNG + bytes([number])) for number in range(3)]
    message = await post(desk, desk.tom, *photos)
    form = await desk.maya.context_menu(desk.channel, "Virtual staging", message)
    refused = await desk.maya.submit_modal(form, {"image": ["1"], "style": "luxury", "room": "office"})
    assert refused.response is not None
    again = await desk.maya.click(refused.response, custom_id=edit_of(refused))
    assert value_in(fields(again)["image"]) == ["1"]
    await desk.maya.submit_modal(again, {"image": ["1"], "style": "modern", "room": "office"})
    job = await desk.job()
    assert job.source is not None
    assert (job.source.filename, job.photo_author) == ("room1.png", desk.tom.id)


@pytest.mark.promise
async def test_too_few_credits_can_be_edited_and_asked_for_and_a_restart_says_so(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "studio")
    await spending.set_budget(desk.services, desk.guild.id, 10, Period.DAY)
    refused = await desk.maya.submit_modal(form, {"prompt": "A kite", "mode": "video"})
    labels = [piece["label"] for piece in pieces(refused) if piece["type"] == 2]
    assert labels == ["Edit", "Ask an admin"]
    assert refused.response is not None
    stranger = await press(desk, desk.maya, refused.response, "0123456789abcdef")
    assert "the bot has restarted since" in texts(stranger)
    asked = await desk.maya.click(refused.response, label="Ask an admin")
    assert not asked.followups
    assert "An admin was asked for more credits." in texts(refused)
