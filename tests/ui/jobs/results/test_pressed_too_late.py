"""Buttons that are pressed when there is nothing left to do, by others, or in no channel, do nothing."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from simcord import InteractionResult
from simcord.backend import serializers
from simcord.interactions import base_payload

from bot.catalog import Catalog, SourceRule
from bot.jobs.models import FailureCode, JobState
from bot.servers import privacy
from tests.delivery.postings.test_sets import announce, made as made_set, picked
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, open_desk, texts
from tests.support.presses import BUTTON, press
from tests.ui.jobs.results.test_result_buttons import DONE
from tests.ui.jobs.sets.test_sets import a_set


async def pressed(desk: Desk, custom_id: str) -> str:
    message = await desk.channel_message(custom_id)
    return texts(await press(desk, desk.maya, message, custom_id))


async def test_a_result_that_is_private_to_another_cannot_be_run_again(desk: Desk) -> None:
    await desk.tom.slash(desk.channel, "studio", prompt="A red kite", private=True)
    job = await desk.move(await desk.job(), *DONE)
    said = await pressed(desk, f"studii:again:{job.id}-0")
    assert "That result is private to someone else. Use the command to make your own." in said
    assert len(await jobs_of(desk)) == 1


async def test_a_tool_that_is_asked_for_nothing_has_nothing_to_edit(tmp_path: Path) -> None:
    studio = Catalog.load().get("studio")
    tool = replace(
        studio, inputs=(), source=SourceRule.NONE, output="image", output_from=None, assumed_cost=8
    )
    async with open_desk(tmp_path, catalog=Catalog({"studio": tool})) as desk:
        await desk.set_key()
        await desk.maya.slash(desk.channel, "studio")
        job = await desk.move(await desk.job(), *DONE)
        said = await pressed(desk, f"studii:edit:{job.id}-0")
        assert "Studio has nothing to edit. Run `/studio` again." in said


async def test_a_set_of_which_all_was_sent_has_nothing_to_cancel_and_none_failed(desk: Desk) -> None:
    jobs = await a_set(desk)
    for job in jobs:
        await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    said = await pressed(desk, f"studii:set:cancel:{jobs[0].set_id}")
    assert "All of them were sent to Studii already. The results will arrive automatically." in said
    said = await pressed(desk, f"studii:set:again:{jobs[0].set_id}")
    assert "None of them has failed. Nothing was started." in said
    assert len(await jobs_of(desk)) == len(jobs)


async def test_a_set_whose_request_was_erased_is_not_run_again(desk: Desk) -> None:
    jobs = await a_set(desk)
    for job in jobs:
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    await desk.db.write(privacy.scrub, desk.clock.now(), before=desk.clock.now() + timedelta(seconds=1))
    said = await pressed(desk, f"studii:set:again:{jobs[0].set_id}")
    assert "The original request has expired. Start it again with the photos." in said


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, 10008, "That was already deleted."),
        (403, 50001, "I can't change that message any more. Ask a moderator to delete it."),
    ],
)
async def test_one_picture_of_a_set_that_cannot_be_deleted_says_why(
    tmp_path: Path, status: int, code: int, said: str
) -> None:
    async with made_set(tmp_path, 2) as (desk, parts):
        await announce(desk, parts)
        shown = await picked(desk, 1)
        desk.env.inject_error("*", f"/channels/{desk.channel.id}/messages/*", status=status, code=code)
        await desk.maya.click(shown, label="Delete")
        assert said in texts(await desk.maya.click(shown, label="Delete"))


async def pressed_nowhere(desk: Desk, custom_id: str) -> str:
    stored = desk.env.backend.get_message(desk.channel.id, (await desk.channel_message(custom_id)).id)
    record, payload = base_payload(
        desk.env.backend,
        type=3,
        channel_id=desk.channel.id,
        guild_id=desk.guild.id,
        user_id=desk.maya.id,
        data={"custom_id": custom_id, **BUTTON},
    )
    payload["message"] = dict(serializers.message_payload(desk.env.backend, stored))
    sent: dict[str, Any] = payload
    for name in ("channel", "channel_id"):
        sent.pop(name, None)
    desk.env.backend.emit("INTERACTION_CREATE", payload)
    await desk.env.settle()
    return texts(InteractionResult(desk.env, record))


@pytest.mark.promise
@pytest.mark.parametrize("where", ["listed", "message"])
async def test_where_there_is_no_channel_nothing_is_started(desk: Desk, where: str) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    custom_id = f"studii:again:{job.id}-0"
    if where == "listed":
        custom_id = f"studii:listed:again:{job.id}:mine:0"
    assert "This only works in a channel." in await pressed_nowhere(desk, custom_id)
    assert len(await jobs_of(desk)) == 1


async def test_an_erased_photo_is_to_be_given_again(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    await desk.db.write(privacy.scrub, desk.clock.now(), before=desk.clock.now() + timedelta(seconds=1))
    custom_id = f"studii:again:{job.id}-0"
    assert "has expired. Use the command or a photo's menu." in await pressed(desk, custom_id)
    assert len(await jobs_of(desk)) == 1
