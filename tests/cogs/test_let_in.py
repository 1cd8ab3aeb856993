"""A server lets people without Manage Server run `/studii` (Server Settings, Integrations)."""

from pathlib import Path
from typing import Any

import pytest
from discord import app_commands
from simcord import InteractionResult, MemberActor

from bot.reasons import Reason, ReasonCode
from bot.servers import keys
from bot.ui.panels.controls import LET_IN
from tests.support import spending
from tests.support.desk import KEY, Desk, make_bot, open_desk, pieces, texts
from tests.support.jobs import held
from tests.support.presses import hand_in, press
from tests.support.settings import control
from tests.ui.settings.shown import message

REFUSAL = "You need the Manage Server permission"


def let_in(desk: Desk, person: MemberActor, *, allowed: bool = True) -> None:
    command: Any = desk.env.backend.find_command("studii", desk.guild.id, type=1)
    desk.guild.set_command_permissions(int(command["id"]), {person: allowed})


def lose_roles(desk: Desk, person: MemberActor) -> None:
    desk.env.backend.get_guild(desk.guild.id).members[person.id].role_ids.clear()


def button(shown: InteractionResult, label: str) -> str:
    (found,) = (piece["custom_id"] for piece in pieces(shown) if piece.get("label") == label)
    return found


async def pause(desk: Desk, person: MemberActor, panel: InteractionResult) -> InteractionResult:
    """Press the button that pauses new jobs, or ends the pause."""
    return await person.click(message(panel), custom_id=control(panel, "studii:put:setup:paused"))


async def paused(desk: Desk) -> bool:
    return (await spending.budget(desk.services, desk.guild.id)).settings.paused


@pytest.mark.promise
async def test_everyone_whom_discord_lets_run_studii_may_run_each_of_its_commands(desk: Desk) -> None:
    let_in(desk, desk.maya)
    group = desk.bot.tree.get_command("studii")
    assert isinstance(group, app_commands.Group)
    names = [one.qualified_name for one in group.walk_commands() if isinstance(one, app_commands.Command)]
    assert len(names) >= 7
    for name in names:
        shown = await desk.maya.slash(desk.channel, name)
        assert shown.modal is not None or shown.ephemeral, name
        said = "" if shown.modal is not None else texts(shown)
        assert REFUSAL not in said, name
        assert "went wrong" not in said, name


@pytest.mark.promise
async def test_the_buttons_and_forms_of_ones_own_panel_work_also_after_a_restart(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        let_in(desk, desk.maya)
        panel = await desk.maya.slash(desk.channel, "studii setup")
        form = await desk.maya.click(message(panel), label="Enter key")
        await desk.maya.submit_modal(form, {"key": KEY, "plan": ["pro"]})
        assert "The key works" in texts(panel)
        await pause(desk, desk.maya, panel)
        assert await paused(desk)
        await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.services)[0])
        await pause(desk, desk.maya, panel)
        assert not await paused(desk)
        form = await desk.maya.click(message(panel), custom_id=f"studii:fill:setup:budget{LET_IN}")
        await desk.maya.submit_modal(form, {"limit": "40", "period": ["week"]})
        assert (await spending.budget(desk.services, desk.guild.id)).settings.budget.limit == 40
        await desk.maya.click(message(panel), label="Remove key…")
        await desk.maya.click(message(panel), label="Remove key")
        assert await desk.services.db.read(keys.current, desk.guild.id) is None


@pytest.mark.promise
async def test_try_again_in_ones_own_panel_works_and_in_the_log_channel_asks_for_manage_server(
    desk: Desk,
) -> None:
    let_in(desk, desk.maya)
    key = await desk.services.db.read(keys.current, desk.guild.id)
    assert key is not None
    later = desk.clock.now().replace(hour=23)
    await desk.db.write(held, desk.guild.id, key.id, Reason(ReasonCode.OUT_OF_CREDITS), later)
    panel = await desk.maya.slash(desk.channel, "studii setup")
    assert "will try Studii now" in texts(await desk.maya.click(message(panel), label="Try again"))
    again = button(panel, "Try again").removesuffix(LET_IN)
    posted = await desk.admin.slash(desk.channel, "studii setup")
    assert again == button(posted, "Try again")
    visible = await desk.channel_message(again)
    assert REFUSAL in texts(await desk.maya.click(visible, custom_id=again))


@pytest.mark.promise
@pytest.mark.parametrize("label", ["Enter key", "Post panel", "Check again", "Credits"])
async def test_an_admin_who_lost_manage_server_cannot_use_the_panel_that_they_opened_as_one(
    tmp_path: Path, label: str
) -> None:
    async with open_desk(tmp_path) as desk:
        panel = await desk.admin.slash(desk.channel, "studii setup")
        lose_roles(desk, desk.admin)
        told = await desk.admin.click(message(panel), label=label)
        assert told.modal is None
        assert REFUSAL in texts(told)
        assert not await paused(desk)


async def test_an_admin_who_lost_manage_server_cannot_hand_in_the_form_of_the_budget(desk: Desk) -> None:
    panel = await desk.admin.slash(desk.channel, "studii setup")
    form = await desk.admin.click(message(panel), custom_id="studii:fill:setup:budget")
    lose_roles(desk, desk.admin)
    told = await desk.admin.submit_modal(form, {"limit": "40", "period": ["week"]})
    assert REFUSAL in texts(told)
    assert (await spending.budget(desk.services, desk.guild.id)).is_default


@pytest.mark.promise
async def test_a_button_of_the_panel_is_refused_outside_of_a_panel_of_ones_own(desk: Desk) -> None:
    let_in(desk, desk.maya)
    panel = await desk.maya.slash(desk.channel, "studii setup")
    pauses = control(panel, "studii:put:setup:paused:on")
    assert pauses.endswith(LET_IN)
    own = await desk.tom.slash(desk.channel, "jobs")  # an answer that only Tom sees, without that button
    told = await press(desk, desk.tom, message(own), pauses)
    assert "isn't in the message any more" in texts(told)
    for shown in (await desk.channel_message(pauses), message(panel)):
        assert REFUSAL in texts(await press(desk, desk.tom, shown, pauses))
    assert not await paused(desk)


async def test_a_form_that_claims_to_be_of_a_panel_of_ones_own_is_refused(desk: Desk) -> None:
    own = await desk.tom.slash(desk.channel, "jobs")
    told = await hand_in(desk, desk.tom, f"studii:fill:setup:budget{LET_IN}", message(own))
    assert REFUSAL in texts(told)


async def test_those_let_in_still_see_their_own_jobs_alone_and_send_no_unknown_inputs(desk: Desk) -> None:
    let_in(desk, desk.maya)
    refused = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", extra="seed=7")
    assert "`extra` is only for members with Manage Server" in texts(refused)
    jobs = await desk.maya.slash(desk.channel, "jobs")
    assert "Server jobs" not in str(pieces(jobs))
    page = "studii:jobs:server:0"
    assert REFUSAL in texts(await press(desk, desk.maya, await desk.channel_message(page), page))
