"""Again and Use in… under a result, and Cancel: pressed by different people, and later."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import InteractionResult

from bot.credits.ledger import Usage
from bot.jobs import queries, transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.media.spool import OutputFile
from bot.reasons import Reason
from bot.ui.jobs.progress import use_in
from bot.ui.kit.layout import Panel, row, text
from tests.support import spending
from tests.support.desk import PNG, Desk, labelled, make_bot, pieces, press_more, texts
from tests.support.posts import tell_end
from tests.support.presses import press as press_id
from tests.support.services import sweep

ROOM = PNG + b"room"
MADE = PNG + b"made"
DONE = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)


async def staged(desk: Desk, folder: Path, *, before: bool = True) -> discord.Message:
    """Maya's room was furnished; before and after stand in the channel."""
    await desk.set_key()
    await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", ROOM), style="luxury")
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    await desk.settle(job, 8)
    await tell_end(desk.delivery, job, files(folder, before=before))
    desk.clock.advance(60)
    return desk.channel.history()[-1]


def files(folder: Path, *, before: bool = True, size: int | None = None) -> OutputFile:
    (folder / "after.png").write_bytes(MADE)
    (folder / "before.png").write_bytes(ROOM)
    source = OutputFile(folder / "before.png", "image", "image/png", size or len(ROOM)) if before else None
    return OutputFile(folder / "after.png", "image", "image/png", size or len(MADE), source)


def button(message: discord.Message, label: str) -> str:
    return labelled(message, label)


async def press(desk: Desk, who: Any, message: discord.Message, label: str) -> InteractionResult:
    if label == "Use in…":
        return await press_more(who, message, label)
    return await who.click(message, custom_id=button(message, label))


async def jobs(desk: Desk) -> list[Job]:
    return await desk.db.read(queries.in_states, list(JobState))


def source_bytes(desk: Desk, job: Job) -> bytes | None:
    assert job.source is not None
    return desk.env.backend.cdn.get(job.source.url)


async def test_a_result_shows_the_new_picture_first_and_the_photo_before_beside_it(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path)
    assert [await one.read() for one in message.attachments] == [MADE, ROOM]
    (gallery,) = (piece for piece in pieces(message) if piece["type"] == 12)
    assert [item["description"] for item in gallery["items"]] == [
        "After: Virtual staging: style luxury and room living room",
        "Before: the original photo",
    ]


@pytest.mark.promise
async def test_again_is_for_whoever_presses_it_and_takes_the_photo_from_the_result(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path)
    assert (await press(desk, desk.tom, message, "Run again")).ephemeral
    first, again = await jobs(desk)
    assert (again.user_id, again.inputs) == (desk.tom.id, first.inputs)
    assert source_bytes(desk, again) == ROOM
    assert again.source != first.source  # that of the command is gone after a day
    assert again.photo_author == desk.maya.id


@pytest.mark.promise
async def test_what_failed_for_no_fault_of_its_own_is_asked_for_again_with_a_button(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", ROOM), style="luxury")
    first = await desk.job()
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.FAILED)
    why = {"failure": FailureCode.API, "failure_text": Reason.text("Studii had a problem.")}
    card = await desk.card(await desk.move(first, *states, **why))
    assert (await press(desk, desk.maya, card, "Run again")).ephemeral
    again = await desk.job()
    assert (again.inputs, again.source) == (first.inputs, first.source)
    assert again.id != first.id


@pytest.mark.promise
async def test_a_double_click_on_again_makes_one_job(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    await press(desk, desk.tom, message, "Run again")
    second = await press(desk, desk.tom, message, "Run again")
    assert second.acknowledged
    assert len(await jobs(desk)) == 2
    await press(desk, desk.maya, message, "Run again")  # another one's wish
    assert len(await jobs(desk)) == 3


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
        await press_id(desk, desk.tom, message, button(message, "Run again"))
    desk.clock.advance(60)
    emit("INTERACTION_CREATE", came[-1])
    await desk.env.settle()
    assert len(await jobs(desk)) == 2


@pytest.mark.promise
async def test_the_buttons_work_after_a_restart_and_months_later_until_what_was_asked_is_erased(
    desk: Desk,
    tmp_path: Path,
) -> None:
    message = await staged(desk, tmp_path)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    await desk.env.advance_time(89 * 86400)
    desk.clock.advance(89 * 86400)
    await sweep(desk.services)
    await press(desk, desk.tom, message, "Run again")
    assert source_bytes(desk, (await jobs(desk))[-1]) == ROOM
    offered = await press(desk, desk.tom, message, "Use in…")
    assert offered.ephemeral


async def test_a_photo_that_is_gone_is_said_to_be_gone_and_nothing_is_spent(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path, before=False)
    (job,) = await jobs(desk)
    assert job.source is not None
    old = replace(job.source, url=f"{job.source.url}?ex=69000000&is=1&hm=2")
    await desk.db.write(transitions.change, job.id, source=old)
    answer = await press(desk, desk.tom, message, "Run again")
    assert answer.ephemeral
    assert "keeps such photos for about a day" in texts(answer)
    assert len(await jobs(desk)) == 1


@pytest.mark.promise
async def test_a_result_becomes_the_photo_of_another_tool(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    offered = await press(desk, desk.tom, message, "Use in…")
    assert offered.ephemeral
    assert offered.response is not None
    form = await desk.tom.select(offered.response, ["photo-restore"])
    assert (await desk.tom.submit_modal(form, {})).ephemeral
    job = (await jobs(desk))[-1]
    assert (job.tool, job.user_id) == ("photo-restore", desk.tom.id)
    assert source_bytes(desk, job) == MADE


async def test_the_menu_of_a_result_takes_what_was_made_not_the_photo_before(
    desk: Desk, tmp_path: Path
) -> None:
    message = await staged(desk, tmp_path)
    await desk.tom.context_menu(desk.channel, "Photo restoration", message)
    assert source_bytes(desk, await desk.job()) == MADE


async def test_a_result_whose_file_is_gone_says_so_and_offers_nothing(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    (job,) = await jobs(desk)
    await message.edit(view=Panel(text("Nothing here"), row(use_in.of(job.id, 0))), attachments=[])
    answer = await desk.tom.click(desk.channel.history()[-1], label="Use in…")
    assert answer.ephemeral
    assert "This message has no picture any more" in texts(answer)
    assert "Nothing was charged" in texts(answer)
    assert len(await jobs(desk)) == 1


@pytest.mark.promise
async def test_edit_shows_what_it_was_made_with_and_makes_another_one(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    shown = await press(desk, desk.tom, message, "Edit")
    assert shown.modal is not None
    fields = [piece["component"] for piece in shown.modal["components"]]
    chosen = [one["value"] for field in fields for one in field.get("options", ()) if one.get("default")]
    assert chosen == ["luxury", "living"]
    await desk.tom.submit_modal(shown, {"style": "industrial", "room": "living"})
    job = (await jobs(desk))[-1]
    assert (job.user_id, job.inputs["style"]) == (desk.tom.id, "industrial")
    assert source_bytes(desk, job) == ROOM


@pytest.mark.promise
async def test_a_tool_without_inputs_has_edit_for_another_photo(desk: Desk, tmp_path: Path) -> None:
    await staged(desk, tmp_path)
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", ROOM))
    job = await desk.move(await desk.job(), *DONE, finished_at=desk.clock.now(), output_kind="image")
    await tell_end(desk.delivery, job, files(tmp_path))
    labels = [piece.get("label") for piece in pieces(desk.channel.history()[-1]) if piece["type"] == 2]
    assert labels == ["Run again · about 8 credits", "Edit", "Full size", "More…"]


@pytest.mark.promise
async def test_a_job_that_waits_is_cancelled_with_a_button_and_its_credits_are_free_again(
    desk: Desk,
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    card = await desk.card(await desk.job())
    for _ in range(2):  # a double click is nothing to complain about
        answer = await press(desk, desk.maya, card, "Cancel job")
        assert not answer.followups
    (job,) = await jobs(desk)
    assert job.state is JobState.CANCELLED
    assert (await spending.budget(desk.services, desk.guild.id)).usage == Usage()
    assert job.announced_at is not None  # nobody is told of what they did


@pytest.mark.promise
async def test_others_cannot_cancel_a_job_but_those_who_moderate_can(desk: Desk) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    card = await desk.card(await desk.job())
    answer = await press(desk, desk.tom, card, "Cancel job")
    assert "Only the person who asked for this" in texts(answer)
    moderators = desk.guild.create_role("Mods", permissions=discord.Permissions(manage_messages=True))
    mod = desk.guild.add_member(desk.env.create_user("mo"), roles=[moderators])
    await press(desk, mod, card, "Cancel job")
    (job,) = await jobs(desk)
    assert job.state is JobState.CANCELLED
    assert job.announced_at is None  # its requester has to be told


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (JobState.SUBMITTING, "If Studii doesn't take it, it will be cancelled and cost nothing."),
        (JobState.RUNNING, "Studii already has this job"),
    ],
)
async def test_what_is_with_studii_cannot_be_cancelled_and_says_so(
    desk: Desk, state: JobState, said: str
) -> None:
    await desk.maya.slash(desk.channel, "studio", prompt="A red kite")
    card = await desk.card(await desk.job())
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    await desk.move(await desk.job(), *states[: states.index(state) + 1])
    answer = await press(desk, desk.maya, card, "Cancel job")
    assert said in texts(answer)
    assert (await desk.job()).state is state


@pytest.mark.promise
@pytest.mark.parametrize("label", ["Run again", "Edit", "Use in…"])
async def test_what_was_made_in_an_age_restricted_channel_is_not_made_again_once_it_is_open_to_all(
    desk: Desk, tmp_path: Path, label: str
) -> None:
    channel: Any = desk.bot.get_channel(desk.channel.id)
    channel.nsfw = True  # the simulation knows no such channels
    result = await staged(desk, tmp_path)
    there = await press(desk, desk.maya, result, label)
    assert there.modal is not None or "age-restricted" not in texts(there)
    channel.nsfw = False
    told = await press(desk, desk.maya, result, label)
    assert told.modal is None
    assert "made in an age-restricted channel" in texts(told)
