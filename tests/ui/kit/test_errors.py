"""Every error of a command, a button, a form or a list ends in one place: the person is told."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from simcord import InteractionResult

from bot.jobs import queries
from bot.jobs.models import JobState
from bot.ui.panels.controls import BUTTON_OUTDATED, FORM_OUTDATED, OPEN_FOR
from tests.reactions.taps import post
from tests.support.desk import KEY, PNG, Desk, answer_of, make_bot, open_desk, read_alone, started, texts
from tests.support.presses import press
from tests.support.settings import pressed

Act = Callable[[Desk], Awaitable[InteractionResult]]
FORM = {"key": KEY, "plan": ["pro"]}


def broken(*_: object, **__: object) -> Any:
    raise ZeroDivisionError("unheard of")


async def command(desk: Desk) -> InteractionResult:
    return await desk.maya.slash(desk.channel, "credits")


async def button(desk: Desk) -> InteractionResult:
    page = "studii:jobs:mine:0:any:any"
    return await press(desk, desk.maya, await desk.channel_message(page), page)


async def form(desk: Desk) -> InteractionResult:
    shown = await pressed(desk, "setup", "studii:setup:key")
    return await desk.admin.submit_modal(shown, FORM)


async def choice(desk: Desk) -> InteractionResult:
    return await desk.tom.select(answer_of(await tools_of_a_photo(desk)), ["virtual-staging"])


async def tools_of_a_photo(desk: Desk) -> InteractionResult:
    message = await post(desk, desk.maya, ("room.png", PNG))
    return await desk.tom.context_menu(desk.channel, "Studii…", message)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("act", "part", "method"),
    [
        (command, queries, "page"),
        (button, queries, "page"),
        (form, "keys", "set_key"),
        (choice, "acceptance", "ensure_possible"),
    ],
)
async def test_an_unforeseen_error_is_told_with_a_reference_that_is_in_the_log(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    act: Act,
    part: object,
    method: str,
) -> None:
    async with open_desk(tmp_path, check_errors=False) as desk:
        await desk.set_key()
        told_by = getattr(desk.resources, part) if isinstance(part, str) else part
        monkeypatch.setattr(told_by, method, broken)
        told = await act(desk)
        assert told.ephemeral
        reference = texts(told).split("`")[1]
        assert "Nothing was charged unless `/jobs` says so" in texts(told)
        assert "unheard of" not in texts(told)
    assert f"(reference {reference})" in caplog.text


async def restart(desk: Desk) -> None:
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])


async def over_an_hour(desk: Desk) -> None:
    await desk.env.advance_time(OPEN_FOR + 1)


@pytest.mark.promise
@pytest.mark.parametrize("meanwhile", [restart, over_an_hour])
async def test_a_form_that_was_open_over_a_restart_or_an_hour_says_so(
    desk: Desk, meanwhile: Callable[[Desk], Awaitable[None]]
) -> None:
    form = await desk.maya.slash(desk.channel, "studio")
    await meanwhile(desk)
    told = await desk.maya.submit_modal(form, {"prompt": "A red kite"})
    assert read_alone(told) == str(FORM_OUTDATED)
    assert await desk.db.read(queries.in_states, list(JobState)) == []


@pytest.mark.promise
async def test_a_form_that_was_open_for_long_starts_its_job(desk: Desk) -> None:
    form = await desk.maya.slash(desk.channel, "studio")
    await desk.env.advance_time(OPEN_FOR - 60)
    assert started(await desk.maya.submit_modal(form, {"prompt": "A red kite"}))


@pytest.mark.promise
async def test_a_choice_of_tool_from_before_a_restart_says_so_and_costs_nothing(desk: Desk) -> None:
    offered = await tools_of_a_photo(desk)
    await restart(desk)
    told = await desk.tom.select(answer_of(offered), ["virtual-staging"])
    assert read_alone(told) == str(FORM_OUTDATED)


@pytest.mark.promise
@pytest.mark.parametrize(
    "custom_id",
    [
        "studii:setup:budget",
        "studii:setup:inplace:let",
        "studii:photos:on",
        "studii:put:setup:metadata:on",
        "studii:fill:setup:disclosure",
        "studii:pick:setup:staging_corner",
    ],
)
async def test_a_control_of_an_earlier_version_says_to_open_the_panel_anew(
    desk: Desk, custom_id: str
) -> None:
    told = await press(desk, desk.admin, await desk.channel_message(custom_id), custom_id)
    assert read_alone(told) == str(BUTTON_OUTDATED)
