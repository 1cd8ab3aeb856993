"""Sets: several photos at once, with one progress, each settled by itself."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult, MemberActor, ResponseMessage

from bot.credits.ledger import Usage
from bot.features.styles import set_defaults
from bot.jobs import transitions
from bot.jobs.models import Approval, FailureCode, Job, JobState
from bot.jobs.results import ForModerators, Part
from bot.reasons import Reason
from bot.servers import settings
from bot.servers.settings import Period
from bot.ui.admin.approvals import approval_request, decided
from bot.ui.jobs.forms import EACH
from bot.ui.jobs.start import QUESTION_OVER
from bot.ui.panels.controls import FORM_OUTDATED
from tests.delivery.test_sets import announce
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
    press_more,
    read_alone,
    texts,
)
from tests.support.presses import send_press
from tests.support.settings import change, limit_tool
from tests.ui.jobs.results import fields, files, opened, pressed, staged, thumbnails

PHOTOS = [(f"room{number}.png", PNG + bytes([number])) for number in range(1, 7)]


async def offered(desk: Desk, by: MemberActor, tool: str = "Photo restoration") -> InteractionResult:
    message = await post(desk, desk.tom, *PHOTOS)
    return await by.context_menu(desk.channel, tool, message)


def choices(form: InteractionResult) -> list[tuple[str, str]]:
    return [(one["label"], one["value"]) for one in fields(form)["image"]["component"]["options"]]


async def a_set(desk: Desk) -> list[Job]:
    form = await offered(desk, desk.maya)
    await desk.maya.submit_modal(form, {"image": ["first 6"]})
    return await jobs_of(desk)


@pytest.mark.promise
async def test_a_form_with_several_uploads_is_a_set_unless_one_is_refused(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    assert fields(form)["image"]["component"]["max_values"] == 10
    for room in ("kitchen", EACH):
        given = {"image": [*PHOTOS[:2], ("notes.txt", b"words")], "room": room}
        told = await desk.maya.submit_modal(form, given)
        assert "notes.txt isn't a picture" in texts(told)
        form = await opened(desk, desk.maya, "virtual-staging")
    await desk.maya.submit_modal(form, {"image": PHOTOS[:3], "style": "luxury"})
    jobs = await jobs_of(desk)
    assert [job.inputs["style"] for job in jobs] == ["luxury"] * 3
    assert len({job.set_id for job in jobs}) == 1
    assert {job.photo_author for job in jobs} == {None}


@pytest.mark.promise
async def test_a_set_is_accepted_whole_or_not_at_all(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 35, Period.DAY)
    form = await offered(desk, desk.maya)
    assert choices(form)[0] == ("The first 4 of 6 · about 32 credits", "first 4")
    uploads = await opened(desk, desk.maya, "photo-restore")
    told = await desk.maya.submit_modal(uploads, {"image": PHOTOS})
    assert "Only 4 of these 6 can start now, so none was started" in read_alone(told)
    # Of all six, and of the budget as it is: none was started.
    assert "this costs about 48 credits, and the server has 35 of 35 credits left" in texts(told)
    assert "Ask an admin" in [str(one.get("label")) for one in pieces(told)]
    assert await jobs_of(desk) == []
    assert (await spending.budget(desk.resources, desk.guild.id)).usage == Usage()
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.DAY)
    await spending.set_limits(desk.resources, desk.guild.id, at_once=5)
    uploads = await opened(desk, desk.maya, "photo-restore")
    told = await desk.maya.submit_modal(uploads, {"image": PHOTOS})
    assert "so none was started. You can run 5 jobs at the same time here." in texts(told)
    await desk.maya.submit_modal(form, {"image": ["first 4"]})
    assert len(await jobs_of(desk)) == 4


@pytest.mark.promise
async def test_a_set_asks_first_as_a_whole(desk: Desk) -> None:
    await desk.db.write(settings.change, desk.guild.id, confirm_above=40)
    form = await offered(desk, desk.maya)
    assert choices(form)[0] == ("All 6 · about 48 credits", "first 6")
    assert form.modal is not None
    assert form.modal["title"].endswith(" · about 8 credits each")
    asked = await desk.maya.submit_modal(form, {"image": ["first 6"]})
    assert "Photo restoration of 6 photos costs about 48 credits. Start it?" in read_alone(asked)
    assert await jobs_of(desk) == []
    await desk.maya.click(answer_of(asked), label="Run · about 48 credits")
    jobs = await jobs_of(desk)
    assert [job.source.filename for job in jobs if job.source] == [name for name, _ in PHOTOS]
    assert len({job.set_id for job in jobs}) == 1
    assert "6 photos" in texts(answer_of(asked))
    # A set below that price starts at once.
    uploads = await opened(desk, desk.tom, "photo-restore")
    assert "5 photos" in texts(await desk.tom.submit_modal(uploads, {"image": PHOTOS[:5]}))
    assert len(await jobs_of(desk)) == 11


@pytest.mark.promise
async def test_progress_counts_and_links_and_what_has_not_started_can_be_cancelled(
    desk: Desk,
) -> None:
    first, second, *_ = await a_set(desk)
    await desk.settle(await desk.move(first, *DONE, finished_at=desk.clock.now()), 6)
    await desk.move(second, *DONE[:3])
    await desk.db.write(transitions.change, first.id, result_message_id=77)
    message = await desk.posted_progress(*await jobs_of(desk))
    assert "1 done · 1 running · 4 waiting" in texts(message)
    assert f"/{desk.channel.id}/77)" in texts(message)
    assert "Charged 6 credits so far, 40 credits reserved." in texts(message)
    refused = await desk.tom.click(message, label="Cancel what hasn't started")
    assert "Only the person who asked for this" in texts(refused)
    await desk.maya.click(message, label="Cancel what hasn't started")
    states = [job.state for job in await jobs_of(desk)]
    assert states == [JobState.SUCCEEDED, JobState.RUNNING, *[JobState.CANCELLED] * 4]
    assert (await spending.budget(desk.resources, desk.guild.id)).usage == Usage(6, 8)


@pytest.mark.promise
async def test_the_failed_ones_can_be_run_again(desk: Desk) -> None:
    jobs = await a_set(desk)
    for job in jobs[:4]:
        await desk.settle(await desk.move(job, *DONE), 8)
    for job in jobs[4:]:
        failed = {"failure": FailureCode.API, "failure_text": Reason.text("Studii failed.")}
        await desk.settle(await desk.move(job, *DONE[:3], JobState.FAILED, **failed), 0)
    message = await desk.posted_progress(*await jobs_of(desk))
    assert labels(message) == ["Run the failed ones again · about 16 credits"]
    # What is dearer by now than the button says is asked first.
    await learned(desk, 12, "photo-restore")
    asked = await desk.tom.click(message, label=labels(message)[0])
    assert "Photo restoration of 2 photos costs 24 credits. Start it?" in texts(asked)
    assert len(await jobs_of(desk)) == 6
    again = await desk.tom.click(answer_of(asked), label="Run · 24 credits")
    assert "2 photos" in texts(again)
    new = (await jobs_of(desk))[6:]
    assert [job.source.filename for job in new if job.source] == ["room5.png", "room6.png"]
    assert {(job.user_id, job.photo_author) for job in new} == {(desk.tom.id, desk.tom.id)}
    assert len({job.set_id for job in new}) == 1
    assert new[0].set_id != jobs[0].set_id


# Sets whose jobs differ: variations of one picture, and photos of which each has a room of its own


@pytest.mark.promise
async def test_a_result_is_made_again_in_up_to_four_styles_as_one_set(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    form = await press_more(desk.maya, message, "Variations…")
    assert "2 · 16 credits" in str(form.modal)
    assert "farmhouse · 8 credits" in str(form.modal)
    told = await desk.maya.submit_modal(form, {"count": ["3"], "style": ["farmhouse", "scandinavian"]})
    first, *made = await jobs_of(desk)
    assert [job.inputs["style"] for job in made] == ["farmhouse", "scandinavian"]
    assert [job.inputs["room"] for job in made] == [first.inputs["room"]] * 2
    assert len({job.set_id for job in made} - {None}) == 1
    assert "Virtual staging · 2 variations" in texts(told)
    assert "1. ⏳ farmhouse: " in texts(told)
    assert "-# room **living room**" in texts(told)
    for job in made:
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    await pressed(desk, f"studii:set:again:{made[0].set_id}")
    assert [job.inputs["style"] for job in (await jobs_of(desk))[3:]] == ["farmhouse", "scandinavian"]


@pytest.mark.promise
async def test_variations_are_asked_for_once_at_the_price_of_all_and_shown_in_one_message(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.set_key()
    await desk.resources.db.write(settings.change, desk.guild.id, confirm_above=20)
    form = await desk.maya.slash(desk.channel, "studio", variants=3)
    assert form.modal is not None
    assert form.modal["title"] == "3 × Studio · from about 24 credits"
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", variants=3)
    assert "3 variations of Studio cost about 24 credits. Start them?" in texts(asked)
    await desk.maya.click(answer_of(asked), label="Run · about 24 credits")
    made = await jobs_of(desk)
    assert [job.inputs["prompt"] for job in made] == ["A red kite"] * 3
    done = [await desk.move(job, *DONE) for job in made[:2]]
    failed = await desk.move(made[2], JobState.FAILED, failure=FailureCode.API)
    output = files(tmp_path, before=False)
    parts = [Part(job, number, output) for number, job in enumerate(done, 1)]
    await announce(desk, [*parts, Part(failed, 3, None)])
    message = desk.channel.history()[-1]
    assert "your results are ready: 2 variations" in texts(message)
    assert "**3.** variation: " in texts(message)
    (menu,) = [piece for piece in pieces(message) if piece["type"] == 3]
    assert [one["label"] for one in menu["options"]] == ["1. variation", "2. variation"]
    shown = await desk.maya.select(message, [made[1].id])
    assert "Studio: 2. variation" in texts(shown)


@pytest.mark.promise
async def test_variations_that_are_asked_for_twice_at_once_are_one_set(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    forms = [await press_more(desk.maya, message, "Variations…") for _ in range(3)]
    forms += [await desk.maya.slash(desk.channel, "studio", variants=count) for count in (2, 2, 3)]
    filled: list[dict[str, Any]] = [
        {"count": ["2"], "style": [one]} for one in ("modern", "modern", "luxury")
    ]
    filled += [{"prompt": "A red kite"}] * 3
    told = [texts(await desk.maya.submit_modal(*one)) for one in zip(forms, filled, strict=True)]
    assert ["taken as a double click" in one for one in told] == [False, True, False] * 2
    assert len(await jobs_of(desk)) == 1 + 1 + 1 + 2 + 3


DENIED: dict[str, Callable[[Desk], Awaitable[Any]]] = {
    "You are blocked": lambda desk: change(desk, "moderation blocked", "blocked", member=[desk.tom]),
    "is only for <@&1>": lambda desk: desk.db.write(
        limit_tool, desk.guild.id, None, role_id=1, channel_id=None
    ),
}


@pytest.mark.promise
@pytest.mark.parametrize("reason", DENIED)
async def test_who_may_not_use_the_tool_reads_so_alone_and_gets_no_variations(
    desk: Desk, tmp_path: Path, reason: str
) -> None:
    message = await staged(desk, tmp_path)
    await DENIED[reason](desk)
    told = await press_more(desk.tom, message, "Variations…")
    assert told.modal is None
    assert reason in read_alone(told)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
async def test_each_photo_of_a_set_may_have_a_room_of_its_own(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    assert "Choose for each photo…" in str(form.modal)
    given = {"image": PHOTOS[:3], "style": "luxury", "room": EACH}
    asked = await desk.maya.submit_modal(form, given)
    assert asked.ephemeral
    assert await jobs_of(desk) == []
    message = answer_of(asked)
    assert [url.split("/")[-1].split("?")[0] for url in thumbnails(message)] == [
        name for name, _ in PHOTOS[:3]
    ]
    first, _, third = lists(message)
    await desk.maya.select(message, ["bedroom"], custom_id=first)
    await desk.maya.select(message, ["kitchen"], custom_id=third)
    told = await desk.maya.click(message, label="Run · about 24 credits")
    assert answer_of(told).id == message.id  # the progress takes its place
    jobs = await jobs_of(desk)
    assert [job.inputs["room"] for job in jobs] == ["bedroom", "living", "kitchen"]
    assert {job.inputs["style"] for job in jobs} == {"luxury"}
    assert len({job.set_id for job in jobs}) == 1
    assert "1. ⏳ bedroom · room1.png: " in texts(message)
    for job in jobs:
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    again = await desk.channel_message(f"studii:set:again:{jobs[0].set_id}")
    await desk.tom.click(again, label="Press")
    _, _, _, *toms = await jobs_of(desk)
    assert [(job.user_id, job.inputs["room"]) for job in toms] == [
        (desk.tom.id, room) for room in ("bedroom", "living", "kitchen")
    ]
    form = await desk.tom.click(await desk.channel_message(f"studii:edit:{toms[2].id}-0"), label="Press")
    options = fields(form)["room"]["component"]["options"]
    assert [one["value"] for one in options if one.get("default")] == ["kitchen"]
    assert EACH not in str(form.modal)  # it is of one photo


async def test_a_choice_for_each_photo_that_a_restart_has_forgotten_is_refused_unpaid(desk: Desk) -> None:
    page = await asked_for_each(desk)
    await desk.maya.click(page, label="Next")
    assert len(lists(page)) == 2
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    told = await desk.maya.click(page, label="Run · about 16 credits")
    assert str(FORM_OUTDATED) in texts(told)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_a_set_that_was_asked_for_each_photo_starts_once(desk: Desk) -> None:
    page = await asked_for_each(desk)
    for _ in range(2):
        send_press(desk, desk.maya, page, labelled(page, "Next"))
    await desk.env.settle()
    run = labelled(page, "Run")
    await spending.set_budget(desk.resources, desk.guild.id, 8, Period.DAY)
    assert "so none was started" in texts(await desk.maya.click(page, custom_id=run))
    await spending.set_budget(desk.resources, desk.guild.id, 100, Period.DAY)
    records = [
        send_press(desk, desk.maya, page, run),
        send_press(desk, desk.maya, page, lists(page)[0], chosen="office"),
        send_press(desk, desk.maya, page, run),
    ]
    await desk.env.settle()
    assert [job.inputs["room"] for job in await jobs_of(desk)] == ["living", "living"]
    assert str(QUESTION_OVER) in texts(InteractionResult(desk.env, records[-1]))


@pytest.mark.promise
async def test_a_photo_for_which_nothing_is_chosen_gets_what_the_form_began_with(desk: Desk) -> None:
    tool = desk.bot.catalog.get("virtual-staging")
    await desk.db.write(set_defaults, desk.guild.id, desk.maya.id, tool, {"room": "kitchen"})
    page = await asked_for_each(desk)
    await desk.maya.click(page, label="Next")
    assert "it is **kitchen**" in texts(page)
    await desk.db.write(settings.change, desk.guild.id, confirm_above=8)
    await desk.maya.select(page, ["office"], custom_id=lists(page)[1])
    await desk.maya.click(page, label="Run · about 16 credits")
    assert "Virtual staging of 2 photos costs about 16 credits. Start it?" in texts(page)
    await desk.maya.click(page, label="Run · about 16 credits")
    assert [job.inputs["room"] for job in await jobs_of(desk)] == ["kitchen", "office"]


async def test_of_more_photos_than_have_room_beside_their_lists_all_are_above_them(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    photos = [(f"room{number}.png", PNG + bytes([number])) for number in range(8)]
    given = {"image": photos, "style": "luxury", "room": EACH}
    page = answer_of(await desk.maya.submit_modal(form, given))
    (above,) = [piece for piece in pieces(page) if piece["type"] == 12]
    assert [one["description"] for one in above["items"]] == [
        f"{number}. {name}" for number, (name, _) in enumerate(photos, 1)
    ]
    assert len(lists(page)) == 8


@pytest.mark.promise
async def test_moderators_read_what_each_of_a_set_has_of_its_own(desk: Desk) -> None:
    page = await asked_for_each(desk)
    await desk.maya.select(page, ["farmhouse"], custom_id=lists(page)[1])
    await desk.maya.click(page, label="Next")
    await desk.maya.click(page, label="Run · about 16 credits")
    jobs = tuple(await jobs_of(desk))
    request = approval_request(ForModerators(jobs, ()), desk.bot.catalog, (), hidden=False)
    given = [replace(one, approval=Approval.GIVEN) for one in jobs]
    for shown in (request, decided(given, desk.bot.catalog, result=False, by=desk.tom.id)):
        said = texts(shown)
        assert "1. modern · room1.png · 2. farmhouse · room2.png" in said
        assert "style **" not in said
        assert "room **living room**" in said


async def asked_for_each(desk: Desk) -> ResponseMessage:
    """Ask for a set of two photos, of which each has its own style and room."""
    form = await opened(desk, desk.maya, "virtual-staging")
    given = {"image": PHOTOS[:2], "style": EACH, "room": EACH}
    return answer_of(await desk.maya.submit_modal(form, given))


def lists(message: object) -> list[str]:
    return [one["custom_id"] for one in pieces(message) if one["type"] == 3]
