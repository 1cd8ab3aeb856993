"""The word filter, and what members and moderators see when a rule refuses a request."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from bot.features.styles import set_defaults
from bot.features.words import MAX_WORD_RULES, add, rules
from bot.jobs.models import FailureCode, JobState
from bot.posts import NotHere, Stands
from bot.reasons import Reason, ReasonCode
from bot.servers import access, settings
from tests.reactions.taps import ROOM, jobs_of, post
from tests.support.database import given
from tests.support.desk import PNG, Desk, started, texts
from tests.support.posts import deliver, sent
from tests.support.resources import erase
from tests.support.settings import admin, change
from tests.ui.admin.moderation.waiting import REFUSED, forbid, kept, last_notice, notices, posted


async def blocked(desk: Desk) -> list[int]:
    return list((await desk.resources.db.read(access.of, desk.guild.id, desk.clock.now())).blocked)


@pytest.mark.promise
async def test_the_same_rule_is_kept_once_and_their_number_is_bounded(desk: Desk) -> None:
    def fill(session: Session) -> None:
        for number in range(MAX_WORD_RULES):
            add(session, desk.guild.id, f"blimp{number}")

    await desk.db.write(fill)
    assert f"The limit is {MAX_WORD_RULES} rules." in await forbid(desk, "kite")
    assert "This rule exists" in await forbid(desk, "BLIMP7")
    assert "Add them one by one" in await forbid(desk, "nude*, gun")
    assert len(await desk.resources.db.read(rules, desk.guild.id)) == MAX_WORD_RULES


@pytest.mark.promise
async def test_rules_apply_to_extra_styles_and_edited_forms(desk: Desk) -> None:
    photo = ("room.png", PNG)
    await desk.maya.slash(desk.channel, "virtual-staging", image=photo, style="rustic")
    refused = {"failure": FailureCode.INPUTS, "failure_text": Reason(ReasonCode.BAD_INPUTS)}
    told = await desk.posted_progress(await desk.move(await desk.job(), JobState.FAILED, **refused))
    await forbid(desk, "gothic", "luxury", "blimp")
    staged = await desk.maya.slash(desk.channel, "virtual-staging", image=photo, style="neo gothic")
    assert REFUSED in texts(staged)
    for extra in ("seed=blimp", "blimp=1"):
        sent = await desk.admin.slash(desk.channel, "photo-restore", image=photo, extra=extra)
        assert REFUSED in texts(sent)
    form = await desk.maya.click(told, label="Edit")
    answer = await desk.maya.submit_modal(form, {"style": "luxury", "room": "office"})
    assert REFUSED in texts(answer)
    assert len(await jobs_of(desk)) == 1
    assert len(await notices(desk)) == 4


@pytest.mark.promise
async def test_a_preset_of_a_photo_channel_that_meets_a_rule_starts_nothing(desk: Desk) -> None:
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=gothic")
    await forbid(desk, "gothic")
    await desk.resources.db.write(settings.change, desk.guild.id, refusals=2)
    for _ in range(3):
        await post(desk, desk.tom, ROOM)
        await desk.env.settle()
    assert await jobs_of(desk) == []
    # An admin chose the words: the poster isn't paused for them, and the log channel hears of it once.
    assert await blocked(desk) == []
    assert len(await notices(desk)) == 1
    shown = await posted(desk)
    assert f"**Virtual staging** doesn't start on photos in <#{desk.channel.id}>" in shown
    assert "> ||gothic||" in shown
    assert f"<@{desk.tom.id}>" not in shown
    assert "`/studii photos`" in shown
    desk.clock.advance(86_400)
    await post(desk, desk.tom, ROOM)
    await desk.env.settle()
    assert len(await notices(desk)) == 2


@pytest.mark.promise
async def test_what_a_member_prefers_counts_as_theirs_in_a_photo_channel(desk: Desk) -> None:
    await admin(desk, "photos auto", tool="virtual-staging")
    tool = desk.bot.catalog.get("virtual-staging")
    await desk.resources.db.write(set_defaults, desk.guild.id, desk.tom.id, tool, {"style": "gothic"})
    await forbid(desk, "gothic")
    await desk.resources.db.write(settings.change, desk.guild.id, refusals=2)
    for _ in range(2):
        await post(desk, desk.tom, ROOM)
        await desk.env.settle()
    assert await jobs_of(desk) == []
    assert await blocked(desk) == [desk.tom.id]
    assert f"<@{desk.tom.id}> asked for **Virtual staging**" in await posted(desk)


@pytest.mark.promise
async def test_what_the_catalogue_sends_on_its_own_meets_no_rule(desk: Desk) -> None:
    await forbid(desk, "standard", "image", "text")
    assert started(await desk.maya.slash(desk.channel, "studio", prompt="A red kite"))
    assert "It would have refused 1 of the server's last 1 job." in await forbid(desk, "kite")


@pytest.mark.promise
async def test_a_refused_prompt_that_was_not_posted_yet_is_forgotten_with_its_member(desk: Desk) -> None:
    await forbid(desk, "blimp")
    for member in (desk.maya, desk.tom):
        await member.slash(desk.channel, "studio", prompt="A red blimp")
    await erase(desk.resources, desk.maya.id)
    assert [one["user"] for one in await notices(desk)] == [desk.tom.id]


@pytest.mark.promise
async def test_what_was_refused_in_an_age_restricted_channel_is_not_shown_in_the_log(
    desk: Desk,
) -> None:
    await forbid(desk, "blimp")
    desk.restrict_by_age(desk.channel)
    await desk.maya.slash(desk.channel, "studio", prompt="A red blimp")
    (told,) = await notices(desk)
    assert told["text"] is None


@pytest.mark.promise
async def test_refusals_of_the_day_before_do_not_count_and_admins_are_not_paused(desk: Desk) -> None:
    await forbid(desk, "blimp")
    await desk.resources.db.write(settings.change, desk.guild.id, refusals=2)
    for _ in range(3):
        await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
        await desk.admin.slash(desk.channel, "studio", prompt="A blimp")
        desk.clock.advance(86_401)
    assert await blocked(desk) == []
    await desk.resources.db.write(settings.change, desk.guild.id, refusals=0)
    for _ in range(3):
        await desk.maya.slash(desk.channel, "studio", prompt="A blimp")
    assert await blocked(desk) == []


@pytest.mark.promise
async def test_a_pause_is_ended_by_an_admin_and_the_count_begins_anew(desk: Desk) -> None:
    await forbid(desk, "blimp")
    await desk.resources.db.write(settings.change, desk.guild.id, refusals=2, pause_hours=3)
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
