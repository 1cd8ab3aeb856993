"""What is handed in when nothing waits for it any more is answered, and not left to look like a failure."""

import pytest

from bot.jobs import queries
from bot.jobs.models import JobState
from bot.ui.panels.controls import BUTTON_OUTDATED, FORM_OUTDATED
from tests.reactions.taps import post
from tests.support.desk import PNG, Desk, make_bot, pieces, started, texts
from tests.support.presses import press


async def restart(desk: Desk) -> None:
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)


@pytest.mark.promise
async def test_a_form_that_was_open_over_a_restart_says_so(desk: Desk) -> None:
    form = await desk.maya.slash(desk.channel, "studio")
    await restart(desk)
    told = await desk.maya.submit_modal(form, {"prompt": "A red kite"})
    assert told.ephemeral
    assert texts(told) == str(FORM_OUTDATED)
    assert await desk.db.read(queries.in_states, list(JobState)) == []


@pytest.mark.promise
async def test_a_form_that_was_open_for_hours_starts_its_job(desk: Desk) -> None:
    form = await desk.maya.slash(desk.channel, "studio")
    await desk.env.advance_time(5 * 3600.0)
    assert started(await desk.maya.submit_modal(form, {"prompt": "A red kite"}))


@pytest.mark.promise
async def test_a_choice_of_tool_from_before_a_restart_says_so_and_costs_nothing(desk: Desk) -> None:
    message = await post(desk, desk.maya, ("room.png", PNG))
    await desk.tom.context_menu(desk.channel, "Studii…", message)
    (shown,) = (one for one in desk.channel.history(viewer=desk.tom) if one.id != message.id)
    (menu,) = (piece for piece in pieces(shown) if piece["type"] == 3)
    await restart(desk)
    told = await desk.tom.select(shown, [menu["options"][0]["value"]], custom_id=menu["custom_id"])
    assert told.ephemeral
    assert texts(told) == str(FORM_OUTDATED)


@pytest.mark.promise
@pytest.mark.parametrize("custom_id", ["studii:setup:budget", "studii:setup:inplace:let", "studii:photos:on"])
async def test_a_control_of_an_earlier_version_says_to_open_the_panel_anew(
    desk: Desk, custom_id: str
) -> None:
    told = await press(desk, desk.admin, await desk.channel_message(custom_id), custom_id)
    assert told.ephemeral
    assert texts(told) == str(BUTTON_OUTDATED)
