"""Members who can't start jobs for a time: after many refusals, or because an admin says so."""

from typing import Any

import pytest

from bot.posts import NotHere, Stands
from bot.servers import access
from tests.support.database import given
from tests.support.desk import Desk, started, texts
from tests.support.posts import deliver, sent
from tests.support.settings import change, set_pause
from tests.ui.admin.moderation.word_rules import forbid, kept, last_notice


@pytest.mark.promise
async def test_refusals_of_the_day_before_do_not_count_and_admins_are_not_paused(desk: Desk) -> None:
    await forbid(desk, "blimp")
    await desk.services.db.write(set_pause, desk.guild.id, 2)
    for _ in range(3):
        await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
        await desk.admin.slash(desk.channel, "studio", prompt="A blimp")
        desk.clock.advance(86_401)
    assert (await desk.services.db.read(access.of, desk.guild.id, desk.clock.now())).blocked == {}
    await desk.services.db.write(set_pause, desk.guild.id, 0)
    for _ in range(3):
        await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
    assert (await desk.services.db.read(access.of, desk.guild.id, desk.clock.now())).blocked == {}


@pytest.mark.promise
async def test_a_pause_is_ended_by_an_admin_and_the_count_begins_anew(desk: Desk) -> None:
    await forbid(desk, "blimp")
    await desk.services.db.write(set_pause, desk.guild.id, 2, 3)
    for _ in range(2):
        await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
    await change(desk, "moderation blocked", "blocked", desk.maya)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
    again = texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))
    assert "You can't start jobs" not in again


@pytest.mark.promise
async def test_who_is_blocked_reads_why_and_until_when(desk: Desk) -> None:
    block: dict[str, Any] = {"member": [desk.maya], "reason": "Posting spam <@&1>", "hours": "2"}
    shown = await change(desk, "moderation blocked", "blocked", **block)
    until = f"<t:{int(desk.clock.now().timestamp()) + 7200}:f>"
    assert f"- <@{desk.maya.id}> until {until}: Posting spam \\<@\u200b&1>" in shown
    assert "They get a direct message." in shown
    notice = await last_notice(desk)
    assert isinstance(await deliver(desk, notice, None, None), Stands)
    dm = desk.maya.user.dm_channel
    assert dm is not None
    told = texts(dm.history()[-1])
    assert told.startswith(f"You are blocked from using Studii in this server until {until}.")
    assert told.endswith("\n-# Server: Harbour Street Studio")
    assert "The reason: “Posting spam \\<@\u200b&1>”." in told
    assert "Jobs already started will finish." in told
    await desk.db.write(given(sent, notice, desk.clock.now()))
    assert "spam" not in await kept(desk)
    # Members with closed DMs read it when they next use a command; nothing is posted for others.
    desk.close_dms()
    await change(desk, "moderation blocked", "blocked", member=[desk.tom])
    seen = len(desk.channel.history())
    assert type(await deliver(desk, await last_notice(desk), None, None)) is NotHere
    assert len(desk.channel.history()) == seen
    refused = texts(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
    assert f"You are blocked from using Studii in this server until {until}." in refused
    assert "The reason: “Posting spam \\<@\u200b&1>”." in refused
    assert "You are blocked" in texts(await desk.maya.slash(desk.channel, "help"))
    desk.clock.advance(7201)
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
