"""Panels of settings in the hands of several people, and over a restart."""

from typing import Any

import discord
import pytest
from discord import app_commands
from simcord import MemberActor

from bot.servers import access, settings
from bot.servers.notices import NoticeKind
from bot.ui.panels.controls import LET_IN
from bot.ui.reading.permissions import PANEL_SECONDS
from tests.support import spending
from tests.support.desk import KEY, Desk, answer_of, make_bot, read_alone, texts
from tests.support.posts import deliver, open_posts
from tests.support.presses import hand_in, press
from tests.support.settings import change, control, opened, pressed


async def in_threads(desk: Desk) -> bool:
    return (await desk.resources.db.read(settings.of, desk.guild.id)).in_threads


@pytest.mark.promise
async def test_an_admin_reads_what_another_has_changed_since_the_panel_was_opened(desk: Desk) -> None:
    owners = desk.guild.create_role("Owners", permissions=discord.Permissions(manage_guild=True))
    omar = desk.guild.add_member(desk.env.create_user("omar"), roles=[owners])
    shown = await opened(desk, "results")
    await change(desk, "results", "in_threads", person=omar)
    said = await change(desk, "results", "compare", "split", shown=shown)
    assert "🔁 Changed since you opened this: Results and Threads." in said
    assert "✅ **Comparison**: changed from “the photo beside the result” to “also" in said
    # A button says what it sets, so an old one does the same as a new one.
    told = await press(desk, omar, answer_of(shown), "studii:put:results:in_threads:on")
    assert "isn't in the message any more" in texts(told)
    assert await in_threads(desk)


@pytest.mark.promise
async def test_a_panel_and_an_open_form_from_before_a_restart_work(desk: Desk) -> None:
    shown = await opened(desk, "moderation words")
    form = await desk.admin.click(answer_of(shown), custom_id=control(shown, "studii:fill:words:rules"))
    await desk.env.restart_bot(make_bot(desk.bot.catalog, desk.clock, desk.resources)[0])
    await desk.admin.submit_modal(form, {"words": "blimp", "then": ["refuse"]})
    assert "Requests with **blimp** are refused from now on." in texts(shown)
    said = await change(desk, "moderation words", "rules", "blimp", shown=shown)
    assert "Requests with **blimp** are allowed again." in said


@pytest.mark.promise
async def test_what_has_changed_is_said_below_its_setting_or_beside_the_buttons(desk: Desk) -> None:
    said = (await change(desk, "photos", "everywhere")).splitlines()
    assert said[1].startswith("**Reactions in the whole server**")
    assert said[3] == "✅ **Reactions in the whole server**: changed from off to on."
    refused = (
        await change(desk, "photos", "emoji", emoji="kite", tool=["photo-restore"], inputs="")
    ).splitlines()
    at = next(number for number, line in enumerate(refused) if line.startswith("❌"))
    assert refused.index("**Emoji**") < at
    assert refused[at + 1].startswith("**Photos**")
    shown = await desk.admin.slash(desk.channel, "studii budget", credits=50)
    assert texts(shown).endswith("✅ **Server budget**: changed from 100 credits a day to 50 credits a day.")


@pytest.mark.promise
async def test_admins_read_the_filters_words_and_the_log_channel_hides_them(desk: Desk) -> None:
    log = desk.guild.create_text_channel("log")
    await change(desk, "moderation words", "rules", words="blimp*", then=["refuse"])
    assert "**blimp\\***" in texts(await opened(desk, "moderation words"))
    (notice,) = [one for one in await desk.db.read(open_posts) if one.kind == NoticeKind.CHANGED]
    await deliver(desk, notice, log.id, None)
    assert "||blimp\\*||" in texts(log.history()[-1])


@pytest.mark.promise
async def test_whoever_is_let_in_uses_their_own_panel_for_an_hour(desk: Desk) -> None:
    let_in(desk, desk.maya)
    shown = await opened(desk, "results", desk.maya)
    await change(desk, "results", "in_threads", shown=shown, person=desk.maya)
    assert await in_threads(desk)
    await desk.env.advance_time(PANEL_SECONDS + 5)
    off = control(shown, "studii:put:results:in_threads")
    told = await desk.maya.click(answer_of(shown), custom_id=off)
    assert "open for over an hour" in texts(told)
    assert await in_threads(desk)


@pytest.mark.promise
async def test_the_log_channel_says_who_changed_what_from_what_to_what(desk: Desk) -> None:
    log = desk.guild.create_text_channel("log")
    await change(desk, "results", "in_threads")
    await change(desk, "results", "in_threads")
    await change(desk, "moderation access tool.studio", "channels", log)
    for amount in ("5", "6"):
        await change(desk, "credits", "own", who=[desk.maya], credits=amount)
    await desk.admin.slash(desk.channel, "studii grant", credits=5)
    await desk.admin.slash(desk.channel, "studii grant", credits=1, member=desk.maya)
    form = await pressed(desk, "setup", "studii:setup:key")
    await desk.admin.submit_modal(form, {"key": KEY, "plan": ["team"]})
    asked = await pressed(desk, "setup", "studii:setup:ask")
    await desk.admin.click(answer_of(asked), label="Remove key")
    shown: list[str] = []
    for one in [one for one in await desk.db.read(open_posts) if one.kind == NoticeKind.CHANGED]:
        await deliver(desk, one, log.id, None)
        shown.append(texts(log.history()[-1]))
    title, maya = f"🛠️ <@{desk.admin.id}> changed settings\n- ", f"<@{desk.maya.id}>"
    assert [one.removeprefix(title) for one in shown] == [
        "**Threads**: changed from off to on.\n- **Threads**: changed from on to off.",
        f"Studio · **Channels where it works**: <#{log.id}> added.",
        f"**Members with their own allowance**: {maya}: 5 credits added."
        f"\n- **Members with their own allowance**: changed from {maya}: 5 credits to {maya}: 6 credits."
        "\n- **Extra credits**: Server budget: 5 credits added."
        f"\n- **Extra credits**: {maya}: 1 credit added.",
        "**Plan**: changed from Pro to Team.\n- **Key**: stu_…cdef removed.",
    ]


@pytest.mark.promise
async def test_a_member_is_blocked_from_their_menu(desk: Desk) -> None:
    form = await desk.admin.context_menu(desk.channel, "Block from Studii", desk.maya)
    told = await desk.admin.submit_modal(form, {"member": [desk.maya], "reason": "Spam", "hours": ""})
    assert f"- <@{desk.maya.id}>: Spam" in read_alone(told)
    assert desk.maya.id in (await desk.resources.db.read(access.of, desk.guild.id, desk.clock.now())).blocked


# A server lets people without Manage Server run `/studii` (Server Settings, Integrations)

REFUSAL = "You need the Manage Server permission"


def let_in(desk: Desk, person: MemberActor, name: str = "studii", kind: int = 1) -> None:
    command: Any = desk.env.backend.find_command(name, desk.guild.id, type=kind)
    desk.guild.set_command_permissions(int(command["id"]), {person: True})


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
    assert not (await spending.budget(desk.resources, desk.guild.id)).settings.paused
    # Nor does a form help that claims to be of such a panel.
    told = await hand_in(desk, desk.tom, f"studii:fill:setup:budget{LET_IN}", answer_of(own))
    assert REFUSAL in texts(told)
