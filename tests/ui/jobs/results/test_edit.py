"""Edit: what a job was asked for, in a form, to be changed and sent anew."""

from typing import Any

import discord
import pytest
from simcord import MemberActor

from bot.jobs.models import FailureCode, JobState
from bot.reasons import Reason, ReasonCode
from tests.support.desk import PNG, Desk, pieces, texts


async def refused_inputs(desk: Desk, by: MemberActor | None = None, **asked: object) -> discord.Message:
    """A job that Studii refused with a 400."""
    await desk.set_key()
    await (by or desk.maya).slash(desk.channel, "virtual-staging", image=("room.png", PNG), **asked)
    job = await desk.move(
        await desk.job(),
        JobState.WAITING,
        JobState.SUBMITTING,
        JobState.FAILED,
        failure=FailureCode.INPUTS,
        failure_text=Reason(ReasonCode.BAD_INPUTS, {"detail": "no such style"}),
    )
    return await desk.card(job)


def _shown(field: dict[str, Any]) -> list[str]:
    return [option["value"] for option in field.get("options", ()) if option.get("default")]


def edit_id(shown: object) -> str:
    (button,) = (piece for piece in pieces(shown) if piece.get("label") == "Edit")
    return str(button["custom_id"])


@pytest.mark.promise
async def test_inputs_that_studii_refused_can_be_edited_and_become_a_new_job(desk: Desk) -> None:
    told = await refused_inputs(desk, style="rustic")
    job = await desk.job()
    assert "“no such style”" in texts(told)
    form = await desk.maya.click(told, custom_id=edit_id(told))
    modal: Any = form.modal
    fields = [piece["component"] for piece in modal["components"]]
    assert [(field["custom_id"], _shown(field)) for field in fields] == [
        ("image", []),
        ("private", []),
        ("style", ["rustic"]),
        ("room", ["living"]),
    ]
    answer = await desk.maya.submit_modal(form, {"style": "modern", "room": "office"})
    assert "style **modern** · room **office**" in texts(answer)
    again = await desk.job()
    assert again.id != job.id
    assert again.source == job.source


async def test_what_has_no_field_in_the_form_is_sent_as_it_was(desk: Desk) -> None:
    told = await refused_inputs(desk, by=desk.admin, extra="seed=42")
    form = await desk.admin.click(told, custom_id=edit_id(told))
    await desk.admin.submit_modal(form, {"style": "modern", "room": "office"})
    assert (await desk.job()).inputs == {"style": "modern", "room": "office", "seed": "42"}


@pytest.mark.promise
async def test_an_input_that_is_asked_for_can_not_come_in_by_extra(desk: Desk) -> None:
    answer = await desk.admin.slash(
        desk.channel, "virtual-staging", image=("a.png", PNG), style="modern", extra="room=x"
    )
    assert "`room` is an option of the command" in texts(answer)


@pytest.mark.promise
async def test_only_people_with_manage_server_may_use_extra(desk: Desk) -> None:
    answer = await desk.maya.slash(desk.channel, "photo-restore", image=("a.png", PNG), extra="seed=5")
    assert answer.ephemeral
    assert "`extra` is only for members with Manage Server. Try again without it." in texts(answer)
