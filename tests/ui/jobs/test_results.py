"""Again and Use in… under a result, and Cancel: pressed by different people, and later."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult
from simcord.backend import serializers
from simcord.interactions import base_payload

from bot.jobs.models import FailureCode, JobState
from bot.servers import privacy
from bot.ui.jobs.progress import use_in
from bot.ui.kit.layout import Panel, row, text
from tests.delivery.test_sets import announce, made as made_set, picked
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, answer_of, labelled, make_bot, pieces, texts
from tests.support.presses import BUTTON, press
from tests.support.resources import sweep
from tests.ui.jobs.results import MADE, ROOM, press_on, source_bytes, staged, succeeded
from tests.ui.jobs.test_sets import a_set


@pytest.mark.promise
async def test_again_is_for_whoever_presses_it_and_takes_the_photo_from_the_result(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path)
    assert (await press_on(desk, desk.tom, message, "Run again")).ephemeral
    first, again = await jobs_of(desk)
    assert (again.user_id, again.inputs) == (desk.tom.id, first.inputs)
    assert source_bytes(desk, again) == ROOM
    assert again.source != first.source  # that of the command is gone after a day
    assert again.photo_author == desk.maya.id


@pytest.mark.promise
async def test_a_double_click_that_discord_repeats_when_it_resumes_starts_nothing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = await staged(desk, tmp_path)
    came: list[dict[str, Any]] = []
    emit = desk.env.backend.emit

    def kept(event: str, payload: dict[str, Any]) -> None:
        came.extend([payload] if event == "INTERACTION_CREATE" else [])
        emit(event, payload)

    monkeypatch.setattr(desk.env.backend, "emit", kept)
    for _ in range(2):
        await press(desk, desk.tom, message, labelled(message, "Run again"))
    desk.clock.advance(60)
    emit("INTERACTION_CREATE", came[-1])
    await desk.env.settle()
    assert len(await jobs_of(desk)) == 2


@pytest.mark.promise
async def test_the_buttons_work_after_a_restart_and_months_later_until_what_was_asked_is_erased(
    desk: Desk,
    tmp_path: Path,
) -> None:
    message = await staged(desk, tmp_path)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources)
    await desk.env.restart_bot(bot)
    await desk.env.advance_time(89 * 86400)
    desk.clock.advance(89 * 86400)
    await sweep(desk.resources)
    await press_on(desk, desk.tom, message, "Run again")
    assert source_bytes(desk, (await jobs_of(desk))[-1]) == ROOM
    offered = await press_on(desk, desk.tom, message, "Use in…")
    assert offered.ephemeral


@pytest.mark.promise
async def test_a_result_becomes_the_photo_of_another_tool(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    offered = await press_on(desk, desk.tom, message, "Use in…")
    assert offered.ephemeral
    form = await desk.tom.select(answer_of(offered), ["photo-restore"])
    assert (await desk.tom.submit_modal(form, {})).ephemeral
    job = (await jobs_of(desk))[-1]
    assert (job.tool, job.user_id) == ("photo-restore", desk.tom.id)
    assert source_bytes(desk, job) == MADE


async def test_a_result_whose_file_is_gone_says_so_and_offers_nothing(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    (job,) = await jobs_of(desk)
    await message.edit(view=Panel(text("Nothing here"), row(use_in.of(job.id, 0))), attachments=[])
    answer = await desk.tom.click(desk.channel.history()[-1], label="Use in…")
    assert answer.ephemeral
    assert "This message has no picture any more" in texts(answer)
    assert "Nothing was charged" in texts(answer)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
async def test_edit_shows_what_it_was_made_with_and_makes_another_one(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    shown = await press_on(desk, desk.tom, message, "Edit")
    assert shown.modal is not None
    fields = [piece["component"] for piece in shown.modal["components"]]
    chosen = [one["value"] for field in fields for one in field.get("options", ()) if one.get("default")]
    assert chosen == ["luxury", "living"]
    await desk.tom.submit_modal(shown, {"style": "industrial", "room": "living"})
    job = (await jobs_of(desk))[-1]
    assert (job.user_id, job.inputs["style"]) == (desk.tom.id, "industrial")
    assert source_bytes(desk, job) == ROOM


@pytest.mark.promise
async def test_a_tool_without_inputs_has_edit_for_another_photo(desk: Desk, tmp_path: Path) -> None:
    await staged(desk, tmp_path)
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", ROOM))
    await succeeded(desk, tmp_path)
    labels = [piece.get("label") for piece in pieces(desk.channel.history()[-1]) if piece["type"] == 2]
    assert labels == ["Run again · 8 credits", "Edit", "Full size", "More…"]


@pytest.mark.promise
async def test_others_cannot_cancel_a_job_but_those_who_moderate_can(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    message = await desk.posted_progress(await desk.job())
    answer = await press_on(desk, desk.tom, message, "Cancel job")
    assert "Only the person who asked for this" in texts(answer)
    moderators = desk.guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
    mod = desk.guild.add_member(desk.env.create_user("mo"), roles=[moderators])
    await press_on(desk, mod, message, "Cancel job")
    (job,) = await jobs_of(desk)
    assert job.state is JobState.CANCELLED
    assert job.announced_at is None  # its requester has to be told


@pytest.mark.promise
@pytest.mark.parametrize("label", ["Run again", "Edit", "Use in…"])
async def test_what_was_made_in_an_age_restricted_channel_is_not_made_again_once_it_is_open_to_all(
    desk: Desk, tmp_path: Path, label: str
) -> None:
    channel: Any = desk.bot.get_channel(desk.channel.id)
    channel.nsfw = True  # the simulation knows no such channels
    result = await staged(desk, tmp_path)
    there = await press_on(desk, desk.maya, result, label)
    assert there.modal is not None or "age-restricted" not in texts(there)
    channel.nsfw = False
    told = await press_on(desk, desk.maya, result, label)
    assert told.modal is None
    assert "made in an age-restricted channel" in texts(told)


# Buttons that are pressed when there is nothing left to do, by others, or in no channel, do nothing


async def pressed(desk: Desk, custom_id: str) -> str:
    message = await desk.channel_message(custom_id)
    return texts(await press(desk, desk.maya, message, custom_id))


async def test_a_set_of_which_all_was_sent_has_nothing_to_cancel_and_none_failed(desk: Desk) -> None:
    jobs = await a_set(desk)
    for job in jobs:
        await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    said = await pressed(desk, f"studii:set:cancel:{jobs[0].set_id}")
    assert "All of them were sent to Studii already. The results will arrive automatically." in said
    said = await pressed(desk, f"studii:set:again:{jobs[0].set_id}")
    assert "None of them has failed. Nothing was started." in said
    assert len(await jobs_of(desk)) == len(jobs)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, 10008, "That was already deleted."),
        (403, 50001, "I can't change that message any more. Ask a moderator to delete it."),
        (409, 0, "Discord didn't delete it, or didn't answer. Try again in a moment."),
    ],
)
async def test_one_picture_of_a_set_that_cannot_be_deleted_says_why(
    tmp_path: Path, status: int, code: int, said: str
) -> None:
    async with made_set(tmp_path, 2) as (desk, parts):
        await announce(desk, parts)
        shown = await picked(desk, 1)
        desk.env.inject_error("*", f"/channels/{desk.channel.id}/messages/*", status=status, code=code)
        asked = await desk.maya.click(shown, label="Delete")
        assert said in texts(await desk.maya.click(answer_of(asked), label="Delete"))


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
async def test_where_there_is_no_channel_nothing_is_started(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    assert "This only works in a channel." in await pressed_nowhere(desk, f"studii:again:{job.id}-0")
    assert len(await jobs_of(desk)) == 1


async def test_an_erased_photo_is_to_be_given_again(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    await desk.db.write(privacy.scrub, desk.clock.now(), before=desk.clock.now() + timedelta(seconds=1))
    custom_id = f"studii:again:{job.id}-0"
    assert "has expired. Use the command or a photo's menu." in await pressed(desk, custom_id)
    assert len(await jobs_of(desk)) == 1
