"""Sets: several photos at once, with one progress, each settled by itself."""

import pytest
from simcord import InteractionResult, MemberActor

from bot.credits.ledger import Usage
from bot.jobs import transitions
from bot.jobs.models import FailureCode, Job, JobState
from bot.reasons import Reason
from bot.servers import settings
from bot.servers.settings import Period
from bot.ui.jobs.forms import EACH
from tests.reactions.taps import jobs_of, post
from tests.support import spending
from tests.support.desk import PNG, Desk, answer_of, labels, learned, pieces, texts
from tests.ui.jobs.results import fields, opened

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
async def test_a_form_with_several_uploads_is_a_set(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    assert fields(form)["image"]["component"]["max_values"] == 10
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
    assert told.ephemeral
    assert "Only 4 of these 6 can start now, so none was started" in texts(told)
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
    assert asked.ephemeral
    assert "Photo restoration of 6 photos costs about 48 credits. Start it?" in texts(asked)
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
async def test_one_photo_that_is_refused_refuses_the_set(desk: Desk) -> None:
    for room in ("kitchen", EACH):
        form = await opened(desk, desk.maya, "virtual-staging")
        given = {"image": [*PHOTOS[:2], ("notes.txt", b"words")], "room": room}
        told = await desk.maya.submit_modal(form, given)
        assert "notes.txt isn't a picture" in texts(told)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_progress_counts_and_links_and_what_has_not_started_can_be_cancelled(
    desk: Desk,
) -> None:
    first, second, *_ = await a_set(desk)
    sent = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    done = await desk.move(first, *sent, JobState.SUCCEEDED, finished_at=desk.clock.now())
    await desk.settle(done, 6)
    await desk.move(second, *sent)
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
    sent = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    for job in jobs[:4]:
        await desk.settle(await desk.move(job, *sent, JobState.SUCCEEDED), 8)
    for job in jobs[4:]:
        failed = {"failure": FailureCode.API, "failure_text": Reason.text("Studii failed.")}
        await desk.settle(await desk.move(job, *sent, JobState.FAILED, **failed), 0)
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
