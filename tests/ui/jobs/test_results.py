"""Again and Use in… under a result, and Cancel: pressed by different people, and later."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult
from simcord.interactions import base_payload

from bot.jobs import transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.servers import privacy
from bot.ui.jobs.progress import use_in
from bot.ui.kit.layout import Panel, row, text
from tests.delivery.test_results import MIB, files, made
from tests.delivery.test_sets import announce, made as made_set, picked
from tests.reactions.taps import jobs_of
from tests.support.desk import (
    DONE,
    PNG,
    Desk,
    answer_of,
    labelled,
    labels,
    make_bot,
    open_desk,
    pieces,
    press_in,
    press_more,
    read_alone,
    texts,
)
from tests.support.panels import shown_with
from tests.support.posts import tell_end
from tests.support.presses import press
from tests.support.resources import sweep
from tests.ui.admin.moderation.waiting import moderator
from tests.ui.jobs.results import MADE, ROOM, press_on, pressed, result_of, source_bytes, staged
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
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    await desk.env.advance_time(89 * 86400)
    desk.clock.advance(89 * 86400)
    await sweep(desk.resources)
    await press_on(desk, desk.tom, message, "Run again")
    assert source_bytes(desk, (await jobs_of(desk))[-1]) == ROOM
    assert (await press_on(desk, desk.tom, message, "Use in…")).ephemeral


@pytest.mark.promise
async def test_a_result_becomes_the_photo_of_another_tool_at_its_price(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    offered = await press_on(desk, desk.tom, message, "Use in…")
    assert offered.ephemeral
    (select,) = (piece for piece in pieces(offered) if piece["type"] == 3)
    prices = {one["value"]: one["description"].split(" · ")[0] for one in select["options"]}
    assert (prices["photo-restore"], prices["studio"]) == ("about 8 credits", "from about 8 credits")
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
    assert "This message has no picture any more" in read_alone(answer)
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
async def test_others_cannot_cancel_a_job_but_those_who_moderate_can(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    message = await desk.posted_progress(await desk.job())
    answer = await press_on(desk, desk.tom, message, "Cancel job")
    assert "Only the person who asked for this" in texts(answer)
    await press_on(desk, moderator(desk), message, "Cancel job")
    (job,) = await jobs_of(desk)
    assert job.state is JobState.CANCELLED
    assert job.announced_at is None  # its requester has to be told


@pytest.mark.promise
@pytest.mark.parametrize("label", ["Run again", "Edit", "Use in…"])
async def test_what_was_made_in_an_age_restricted_channel_is_not_made_again_once_it_is_open_to_all(
    desk: Desk, tmp_path: Path, label: str
) -> None:
    desk.restrict_by_age(desk.channel)
    result = await staged(desk, tmp_path)
    there = await press_on(desk, desk.maya, result, label)
    assert there.modal is not None or "age-restricted" not in texts(there)
    desk.restrict_by_age(desk.channel, restricted=False)
    told = await press_on(desk, desk.maya, result, label)
    assert told.modal is None
    assert "made in an age-restricted channel" in texts(told)


# Buttons that are pressed when there is nothing left to do, by others, or in no channel, do nothing


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
    desk: Desk, tmp_path: Path, status: int, code: int, said: str
) -> None:
    parts = await made_set(desk, tmp_path, 2)
    await announce(desk, parts)
    shown = await picked(desk, 1)
    desk.env.inject_error("*", f"/channels/{desk.channel.id}/messages/*", status=status, code=code)
    asked = await desk.maya.click(shown, label="Delete")
    assert said in texts(await desk.maya.click(answer_of(asked), label="Delete"))


@pytest.mark.promise
async def test_where_there_is_no_channel_nothing_is_started(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    message = await desk.channel_message(f"studii:again:{job.id}-0")
    emit = desk.env.backend.emit

    def nowhere(event: str, payload: dict[str, Any]) -> None:
        channels = {"channel", "channel_id"} if event == "INTERACTION_CREATE" else set[str]()
        emit(event, {name: value for name, value in payload.items() if name not in channels})

    monkeypatch.setattr(desk.env.backend, "emit", nowhere)
    told = await desk.maya.click(message, label="Press")
    assert "This only works in a channel." in texts(told)
    assert len(await jobs_of(desk)) == 1


async def test_an_erased_photo_is_to_be_given_again(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
    job = await desk.move(await desk.job(), JobState.FAILED, failure=FailureCode.API)
    await desk.db.write(privacy.scrub, desk.clock.now(), before=desk.clock.now() + timedelta(seconds=1))
    custom_id = f"studii:again:{job.id}-0"
    assert "has expired. Use the command or a photo's menu." in await pressed(desk, custom_id)
    assert len(await jobs_of(desk)) == 1


# What the other buttons under a result do


def stands(desk: Desk, message: discord.Message) -> bool:
    return message.id in {shown.id for shown in desk.channel.history()}


@pytest.mark.promise
async def test_others_are_offered_what_they_may_do_and_told_who_can_delete(
    desk: Desk, tmp_path: Path
) -> None:
    message = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A red kite")
    assert labels(await press_more(desk.maya, message)) == [
        "Use in…",
        "Variations…",
        "Save as style",
        "Delete",
    ]
    assert labels(await press_more(desk.tom, message)) == ["Use in…", "Variations…"]
    question = await press_more(desk.maya, message, "Delete")
    old = await desk.channel_message(f"studii:delete:{(await desk.job()).id}-0")  # as results had it
    refused = await desk.tom.click(old, label="Press")
    assert "a moderator (Manage Messages or Manage Server)" in read_alone(refused)
    forged = await desk.channel_message(labelled(question, "Delete"))
    told = await desk.tom.click(forged, label="Press")
    assert "Only the person who asked for this" in texts(told)
    assert stands(desk, message)


@pytest.mark.promise
async def test_a_private_result_is_deleted_without_a_question_and_is_nobody_elses(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    ids = labels(shown_with(job, f"studio-{job.id[:8]}.png"))
    assert ids[1:] == ["Edit", "Full size", "More…", "Delete"]
    for action in ("again", "more", "full", "vary"):
        forged = await desk.channel_message(f"studii:{action}:{job.id}-0")
        told = await desk.tom.click(forged, label="Press")
        assert "That result is private to someone else." in texts(told)


@pytest.mark.promise
async def test_full_size_is_discords_own_link_or_one_that_studii_has_just_signed(
    desk: Desk, tmp_path: Path
) -> None:
    job = await made(desk)
    await tell_end(desk.delivery, job, files(tmp_path, 1 * MIB, None))
    message = desk.channel.history()[-1]
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<{message.attachments[0].url}>)" in told
    await tell_end(desk.delivery, replace(job, posting=1), files(tmp_path, 30 * MIB, None))
    message = desk.channel.history()[-1]
    assert "Shown smaller than it was made" in texts(message)

    async def fresh_link(job: Job) -> str:
        return f"https://files.example/{job.id}?signed=now"

    desk.bot.resources = replace(desk.bot.resources, fresh_link=fresh_link)
    told = texts(await desk.tom.click(message, label="Full size"))
    assert f"(<https://files.example/{job.id}?signed=now>)" in told


@pytest.mark.promise
async def test_someone_who_manages_messages_or_the_server_can_delete_it(desk: Desk, tmp_path: Path) -> None:
    for one in (moderator(desk), desk.admin):
        message = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A red kite")
        await press_more(one, message, "Delete", "Delete")
        assert not stands(desk, message)


@pytest.mark.promise
async def test_the_requester_deletes_a_result_once_also_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    message = await result_of(desk, tmp_path, desk.maya, "studio", prompt="A red kite")
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    questions = [await press_more(desk.maya, message, "Delete") for _ in range(2)]
    answers = [await press_in(desk.maya, one, "Delete") for one in questions]
    assert not stands(desk, message)
    assert ["That was already deleted." in texts(one) for one in answers] == [False, True]


@pytest.mark.promise
async def test_extra_is_for_managers_and_takes_no_input_that_an_option_or_the_photo_decides(
    desk: Desk,
) -> None:
    photo = ("a.png", PNG)
    answer = await desk.maya.slash(desk.channel, "photo-restore", image=photo, extra="seed=5")
    assert "`extra` is only for members with Manage Server. Try again without it." in read_alone(answer)
    answer = await desk.admin.slash(desk.channel, "virtual-staging", image=photo, extra="room=x")
    assert "`room` is an option of the command" in texts(answer)
    answer = await desk.admin.slash(desk.channel, "studio", prompt="A kite", extra="source=true")
    assert "`source` depends on whether you attach a photo. Leave it out of `extra`." in texts(answer)


# What a person is told when Discord, a photo or a form gives less than was asked for


async def test_a_command_that_the_bot_no_longer_has_says_to_reload(tmp_path: Path) -> None:
    async with open_desk(tmp_path, check_errors=False) as desk:
        record, payload = base_payload(
            desk.env.backend,
            type=2,
            channel_id=desk.channel.id,
            guild_id=desk.guild.id,
            user_id=desk.maya.id,
            data={"id": "1", "name": "of-yesterday", "type": 1, "options": []},
        )
        desk.env.backend.emit("INTERACTION_CREATE", payload)
        await desk.env.settle()
        told = texts(InteractionResult(desk.env, record))
        assert "This command has changed. Reload Discord (Ctrl+R, or close and open the app)" in told


# What a listing with a staged picture needs


async def test_a_photo_that_was_made_smaller_is_said_to_be(desk: Desk, tmp_path: Path) -> None:
    job = await made(desk, staging_label="Virtually staged")
    staging = replace(job, tool="virtual-staging")
    await tell_end(desk.delivery, staging, files(tmp_path, 1 * MIB, 11 * MIB))
    told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
    assert "The button opens the photo smaller than it was sent (re-encoded)" in told


async def test_a_photo_that_is_itself_a_result_is_not_called_unaltered(desk: Desk, tmp_path: Path) -> None:
    restored = await made(desk, staging_label="Virtually staged")
    await tell_end(desk.delivery, restored, files(tmp_path, 1 * MIB, 1 * MIB))
    message = desk.channel.history()[-1]
    await desk.db.write(transitions.change, restored.id, result_message_id=message.id)
    offered = await press_more(desk.tom, message, "Use in…")
    form = await desk.tom.select(answer_of(offered), ["virtual-staging"])
    await desk.tom.submit_modal(form, {})
    kept = {"output_kind": "image", "output_url": restored.output_url, "finished_at": desk.clock.now()}
    staged = await desk.move(await desk.job(), *DONE, **kept)
    await tell_end(desk.delivery, staged, files(tmp_path, 1 * MIB, 1 * MIB))
    told = texts(await press_more(desk.tom, desk.channel.history()[-1], "For a listing"))
    assert "The photo before is itself a result" in told
    assert "[your link]" not in told
