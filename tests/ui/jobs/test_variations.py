"""Variations: several pictures with the same inputs, or in several styles, as one set."""

from pathlib import Path

import pytest

from bot.jobs.models import FailureCode, JobState
from bot.jobs.results import Part
from bot.servers import settings
from tests.delivery.test_sets import announce
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, answer_of, make_bot, pieces, press_more, texts
from tests.ui.jobs.results import files, staged
from tests.ui.jobs.test_results import pressed


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
