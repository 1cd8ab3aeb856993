"""Sets whose jobs differ: variations of one picture, and photos of which each has a room of its own."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from bot.jobs.results import Part
from bot.servers import settings
from bot.ui.jobs.forms import EACH
from bot.ui.panels.controls import FORM_OUTDATED
from tests.delivery.test_sets import announce
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, answer_of, make_bot, pieces, press_more, texts
from tests.ui.jobs.results import files, opened, staged, thumbnails
from tests.ui.jobs.test_results import pressed
from tests.ui.jobs.test_sets import PHOTOS


@pytest.mark.promise
async def test_a_result_is_made_again_in_up_to_four_styles_as_one_set(desk: Desk, tmp_path: Path) -> None:
    message = await staged(desk, tmp_path)
    form = await press_more(desk.maya, message, "Variations…")
    assert form.modal is not None
    assert "2 · 16 credits" in str(form.modal)
    told = await desk.maya.submit_modal(form, {"count": ["3"], "style": ["farmhouse", "scandinavian"]})
    first, *made = await jobs_of(desk)
    assert [job.inputs["style"] for job in made] == ["farmhouse", "scandinavian"]
    assert [job.inputs["room"] for job in made] == [first.inputs["room"]] * 2
    assert {job.set_id for job in made} == {made[0].set_id}
    assert made[0].set_id is not None
    assert "Virtual staging · 2 variations" in texts(told)
    assert "1. ⏳ farmhouse: " in texts(told)
    assert "-# room **living room**" in texts(told)
    made = [await desk.move(job, JobState.FAILED, failure=FailureCode.API) for job in made[:1]] + made[1:]
    await desk.move(made[1], JobState.FAILED, failure=FailureCode.API)
    desk.clock.advance(60)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.services)[0])
    await pressed(desk, f"studii:set:again:{made[0].set_id}")
    assert [job.inputs["style"] for job in (await jobs_of(desk))[3:]] == ["farmhouse", "scandinavian"]


@pytest.mark.promise
async def test_variations_are_asked_for_once_at_the_price_of_all_and_shown_in_one_message(
    desk: Desk, tmp_path: Path
) -> None:
    await desk.set_key()
    await desk.services.db.write(settings.change, desk.guild.id, confirm_above=20)
    asked = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", variants=3)
    assert "3 variations of Studio cost about 24 credits. Start them?" in texts(asked)
    await desk.maya.click(answer_of(asked), label="Run · about 24 credits")
    made = await jobs_of(desk)
    assert [job.inputs["prompt"] for job in made] == ["A red kite"] * 3
    done = [
        await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
        for job in made[:2]
    ]
    failed = await desk.move(made[2], JobState.FAILED, failure=FailureCode.API)
    output = files(tmp_path, before=False)
    parts = [Part(job, number, output) for number, job in enumerate(done, 1)]
    await announce(desk, [*parts, Part(failed, 3, None)])
    message = desk.channel.history()[-1]
    assert "your results are ready: 2 variations" in texts(message)
    assert "**3.** variation: " in texts(message)
    (menu,) = [piece for piece in pieces(message) if piece["type"] == 3]
    assert [one["label"] for one in menu["options"]] == ["1. variation", "2. variation"]


@pytest.mark.promise
async def test_no_variations_are_made_of_anothers_private_result(desk: Desk) -> None:
    await desk.set_key()
    await desk.tom.slash(desk.channel, "photo-restore", image=("room.png", PNG), private=True)
    said = await pressed(desk, f"studii:vary:{(await desk.job()).id}-0")
    assert "private to someone else" in said
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
    jobs = await jobs_of(desk)
    assert [job.inputs["room"] for job in jobs] == ["bedroom", "living", "kitchen"]
    assert {job.inputs["style"] for job in jobs} == {"luxury"}
    assert len({job.set_id for job in jobs}) == 1
    assert "1. ⏳ bedroom · room1.png: " in texts(told)
    desk.clock.advance(60)
    again = await desk.maya.click(message, label="Run · about 24 credits")
    assert str(FORM_OUTDATED) in texts(again)
    for job in jobs:
        await desk.move(job, JobState.FAILED, failure=FailureCode.API)
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.services)[0])
    await pressed(desk, f"studii:set:again:{jobs[0].set_id}")
    assert [job.inputs["room"] for job in (await jobs_of(desk))[3:]] == ["bedroom", "living", "kitchen"]


async def test_a_choice_for_each_photo_that_a_restart_has_forgotten_is_refused_unpaid(desk: Desk) -> None:
    form = await opened(desk, desk.maya, "virtual-staging")
    asked = await desk.maya.submit_modal(form, {"image": PHOTOS[:2], "style": EACH, "room": EACH})
    rooms = answer_of(await desk.maya.click(answer_of(asked), label="Next"))
    assert len(lists(rooms)) == 2
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.services)[0])
    told = await desk.maya.click(rooms, label="Run · about 16 credits")
    assert str(FORM_OUTDATED) in texts(told)
    assert await jobs_of(desk) == []


def lists(message: object) -> list[str]:
    return [one["custom_id"] for one in pieces(message) if one["type"] == 3]
