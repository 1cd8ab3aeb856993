"""Requests on which moderators decide."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord.backend.models import Overwrite
from simcord.enums import OverwriteType

from bot.domain.guilds import Period
from bot.jobs import transitions
from bot.jobs.models import Approval, JobState
from bot.media.spool import OutputFile
from bot.servers import access
from tests.reactions.taps import STAGING, post, ready
from tests.support import spending
from tests.support.desk import PNG, Desk, pieces, texts
from tests.support.presses import hand_in
from tests.support.services import cancel
from tests.support.settings import change, limit_tool
from tests.ui.admin.moderation.waiting import approvals, ask, asked, moderator


@pytest.mark.promise
async def test_of_two_moderators_the_second_learns_what_was_decided(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    first, second = moderator(desk), moderator(desk, "otto")
    form: Any = await second.click(request, label="Decline")
    await first.click(request, label="Approve")
    field = form.modal["components"][0]["component"]["custom_id"]
    late = await second.submit_modal(form, {field: ""})
    assert "That request was already approved." in texts(late)
    assert (await desk.job()).state is JobState.WAITING


async def test_a_form_from_elsewhere_gives_a_moderator_of_another_channel_no_say(desk: Desk) -> None:
    await ask(desk, await approvals(desk))
    role = desk.guild.create_role("Helpers")
    ines = desk.guild.add_member(desk.env.create_user("ines"), roles=[role])
    manages = discord.Permissions(manage_messages=True).value
    allowed = Overwrite(role.id, OverwriteType.ROLE, allow=manages)
    desk.env.backend.edit_channel(desk.channel.id, {}, overwrites=[allowed])
    await desk.env.settle()
    told = await hand_in(desk, ines, f"studii:decline:{(await desk.job()).id}-0")
    assert "Only members with Manage Messages" in texts(told)
    assert (await desk.job()).state is JobState.PENDING


async def test_a_request_that_its_member_has_cancelled_is_over(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    job = await desk.job()
    await cancel(desk.services, job.id, desk.guild.id, desk.maya.id)
    late = await moderator(desk).click(request, label="Approve")
    assert "That request has already ended" in texts(late)
    assert (await desk.job()).reserved == 0


@pytest.mark.promise
async def test_a_request_from_a_thread_whose_channel_the_bot_no_longer_sees_can_be_approved(
    desk: Desk,
) -> None:
    request = await ask(desk, await approvals(desk))
    guild: Any = desk.bot.get_guild(desk.guild.id)
    guild._channels.pop(desk.channel.id)
    thread: Any = {
        "id": desk.channel.id,
        "parent_id": 1,
        "owner_id": desk.maya.id,
        "name": "kites",
        "type": 11,
    }
    thread |= {"message_count": 1, "member_count": 1}
    thread["thread_metadata"] = {
        "archived": False,
        "auto_archive_duration": 60,
        "archive_timestamp": None,
    }
    guild._add_thread(discord.Thread(guild=guild, state=guild._state, data=thread))
    await moderator(desk).click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


@pytest.mark.promise
async def test_members_and_the_requester_can_not_decide(desk: Desk) -> None:
    channel = await approvals(desk)
    role = desk.guild.create_role("Staff", permissions=discord.Permissions(manage_messages=True))
    staff = desk.guild.add_member(desk.env.create_user("staff"), roles=[role])
    await staff.slash(desk.channel, "studio", prompt="A red kite")
    request = await asked(desk, channel)
    for label in ("Approve", "Decline"):
        assert "You can't decide on your own job." in texts(await staff.click(request, label=label))
        refused = texts(await desk.tom.click(request, label=label))
        assert "Only members with Manage Messages can decide on that here." in refused
    approvers = desk.guild.create_role("Approvers")
    shown = await change(desk, "moderation approvals", "approver_role", approvers)
    assert f"**Who decides**: <@&{approvers.id}>\n" in shown
    refused = texts(await moderator(desk).click(request, label="Approve"))
    assert "Only the approvers' role can decide on that here." in refused
    allowed = desk.guild.add_member(desk.env.create_user("anna"), roles=[approvers])
    await allowed.click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


@pytest.mark.promise
async def test_a_requester_who_has_left_is_told_to_the_moderator_and_pays_nothing(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    desk.env.backend.remove_member(desk.guild.id, desk.maya.id)
    await desk.env.settle()
    await moderator(desk).click(request, label="Approve")
    assert f"<@{desk.maya.id}> has left the server" in texts(channel.history()[-1])
    job = await desk.job()
    assert (job.state, job.reserved) == (JobState.FAILED, 0)


@pytest.mark.promise
async def test_a_budget_that_was_lowered_meanwhile_is_told_and_the_request_stays(desk: Desk) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    await spending.set_budget(desk.services, desk.guild.id, 5, Period.DAY)
    ines = moderator(desk)
    refused = texts(await ines.click(request, label="Approve"))
    assert "the budget has been lowered since, and reserved credits exceed it by 3 credits" in refused
    assert (await desk.job()).state is JobState.PENDING
    await spending.set_budget(desk.services, desk.guild.id, 100, Period.DAY)
    await ines.click(request, label="Approve")
    assert (await desk.job()).state is JobState.WAITING


async def _block(desk: Desk) -> None:
    await desk.services.db.write(access.block, desk.guild.id, desk.maya.id, desk.clock.now())


async def _limit(desk: Desk) -> None:
    await desk.services.db.write(
        limit_tool,
        desk.guild.id,
        desk.services.catalog.get("studio"),
        role_id=desk.guild.create_role("Artists").id,
        channel_id=None,
    )


async def _forbid(desk: Desk) -> None:
    await desk.forbid("kite")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("change", "to_moderator", "to_member"),
    [
        (_block, "has been blocked since they asked", "you were blocked from using Studii"),
        (_limit, "The rules have changed since", "the rules changed and no longer allow it"),
        (_forbid, "The word filter has changed since", "the word filter changed and no longer allows it"),
    ],
)
async def test_what_is_not_allowed_any_more_when_it_is_approved_ends_unpaid(
    desk: Desk, change: Callable[[Desk], Awaitable[None]], to_moderator: str, to_member: str
) -> None:
    channel = await approvals(desk)
    request = await ask(desk, channel)
    await change(desk)
    await moderator(desk).click(request, label="Approve")
    assert to_moderator in texts(channel.history()[-1])
    job = await desk.job()
    assert (job.state, job.reserved, job.settled) == (JobState.FAILED, 0, 0)
    told = texts(await desk.told(job))
    assert to_member in told
    assert "Not charged." in told


@pytest.mark.promise
async def test_the_photo_is_shown_behind_a_spoiler_and_goes_with_the_decision(
    desk: Desk, tmp_path: Path
) -> None:
    channel = await approvals(desk)
    await desk.maya.slash(desk.channel, "photo-restore", image=("room.png", PNG))
    kept = tmp_path / "photo.png"
    kept.write_bytes(PNG)
    request = await asked(desk, channel, OutputFile(kept, "image", "image/png", len(PNG)))
    (gallery,) = (piece for piece in pieces(request) if piece["type"] == 12)
    assert gallery["items"][0]["spoiler"] is True
    await moderator(desk).click(request, label="Approve")
    assert [piece for piece in pieces(channel.history()[-1]) if piece["type"] == 12] == []


@pytest.mark.promise
async def test_a_tap_waits_too_and_the_requester_of_a_private_job_is_told_who_sees_it(desk: Desk) -> None:
    await ready(desk)
    channel = await approvals(desk)
    await desk.tom.react(await post(desk, desk.maya, ("room.png", PNG)), STAGING)
    assert (await desk.job()).approval is Approval.WANTED
    await desk.db.write(
        transitions.advance,
        (await desk.job()).id,
        JobState.RECEIVED,
        JobState.CANCELLED,
        at=desk.clock.now(),
    )
    before = await desk.job()
    question = await desk.maya.slash(desk.channel, "studio", prompt="A red kite", private=True)
    assert "Although it's private, moderators here see this job" in texts(question)
    assert await desk.job() == before
    assert question.response is not None
    await desk.maya.click(question.response, label="Run · about 8 credits")
    assert "It's private: only they get the result." in texts(await asked(desk, channel))
    shown = await desk.maya.slash(desk.channel, "jobs")
    assert "waiting for approval" in texts(shown)
