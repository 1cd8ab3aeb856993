"""A server lets people without Manage Server run `/studii` (Server Settings, Integrations)."""

from typing import Any

import pytest
from discord import app_commands
from simcord import MemberActor

from bot.ui.panels.controls import LET_IN
from tests.support import spending
from tests.support.desk import Desk, answer_of, texts
from tests.support.presses import hand_in, press
from tests.support.settings import control

REFUSAL = "You need the Manage Server permission"


def let_in(desk: Desk, person: MemberActor, name: str = "studii", kind: int = 1) -> None:
    command: Any = desk.env.backend.find_command(name, desk.guild.id, type=kind)
    desk.guild.set_command_permissions(int(command["id"]), {person: True})


async def paused(desk: Desk) -> bool:
    return (await spending.budget(desk.resources, desk.guild.id)).settings.paused


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
    let_in(desk, desk.maya, "Block from Studii", kind=2)
    shown = await desk.maya.context_menu(desk.channel, "Block from Studii", desk.tom)
    form = await desk.maya.click(answer_of(shown), custom_id=control(shown, "studii:fill:blocked:blocked"))
    told = await desk.maya.submit_modal(form, {"member": [desk.tom], "reason": "", "hours": ""})
    assert f"- <@{desk.tom.id}>" in texts(told)


@pytest.mark.promise
async def test_a_button_of_the_panel_is_refused_outside_of_a_panel_of_ones_own(desk: Desk) -> None:
    let_in(desk, desk.maya)
    panel = await desk.maya.slash(desk.channel, "studii setup")
    pauses = control(panel, "studii:put:setup:paused:on")
    assert pauses.endswith(LET_IN)
    own = await desk.tom.slash(desk.channel, "jobs")  # an answer that only Tom sees, without that button
    told = await press(desk, desk.tom, answer_of(own), pauses)
    assert "isn't in the message any more" in texts(told)
    for shown in (await desk.channel_message(pauses), answer_of(panel)):
        assert REFUSAL in texts(await press(desk, desk.tom, shown, pauses))
    assert not await paused(desk)


async def test_a_form_that_claims_to_be_of_a_panel_of_ones_own_is_refused(desk: Desk) -> None:
    own = await desk.tom.slash(desk.channel, "jobs")
    told = await hand_in(desk, desk.tom, f"studii:fill:setup:budget{LET_IN}", answer_of(own))
    assert REFUSAL in texts(told)
