"""Approvals: whose requests wait, and in which channel they are posted."""

from typing import Any

import discord
import pytest

from bot.jobs.models import Approval, Job
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, Desk, texts
from tests.support.settings import change, opened
from tests.ui.admin.moderation.waiting import approvals


@pytest.mark.promise
async def test_roles_tools_and_word_rules_send_requests_to_approval(desk: Desk) -> None:
    early: dict[str, Any] = {"words": "blimp", "then": ["approve"]}
    refused = await change(desk, "moderation words", "rules", **early)
    assert "Set a channel for approvals first" in refused
    role = desk.guild.create_role("Newcomers")
    await approvals(desk, roles=[role.id])
    await change(desk, "moderation approvals", "tools", "virtual-staging")
    added = await change(desk, "moderation words", "rules", **early)
    assert "Requests with ||blimp|| wait for a moderator's approval from now on." in added
    new = desk.guild.add_member(desk.env.create_user("new"), roles=[role])
    wanted: list[Job] = []
    for person, prompt in ((desk.maya, "A red kite"), (desk.maya, "A blimp"), (new, "A red kite")):
        await person.slash(desk.channel, "studio", prompt=prompt)
        wanted.append(await desk.job())
    await desk.maya.slash(desk.channel, "virtual-staging", image=("room.png", PNG))
    await desk.admin.slash(desk.channel, "studio", prompt="A red kite")
    all_jobs = await jobs_of(desk)
    assert [job.approval for job in all_jobs] == [None, *[Approval.WANTED] * 3, None]
    removed = await change(desk, "moderation approvals", "roles", None)
    assert f"**Requests of members with these roles wait**: <@&{role.id}> removed." in removed
    assert "**Requests for these tools wait**: Virtual staging\n" in removed
    off = await change(desk, "moderation approvals", "channel_id", None)
    assert "Nothing waits for approval." in off
    # Without a channel, what would have been sent there is refused.
    assert "word filter" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))


@pytest.mark.promise
async def test_a_channel_that_everyone_reads_is_warned_of(desk: Desk) -> None:
    await approvals(desk)
    said = texts(await opened(desk, "moderation approvals"))
    assert "Everyone can read that channel" in said
    bot = desk.env.bot.user
    assert bot is not None
    closed = desk.guild.create_text_channel(
        "moderators",
        overwrites={
            desk.guild.default_role: discord.PermissionOverwrite(view_channel=False),
            bot: discord.PermissionOverwrite(view_channel=True),
            desk.admin: discord.PermissionOverwrite(view_channel=True),
        },
    )
    said = await change(desk, "moderation approvals", "channel_id", closed)
    assert f"Requests are posted in <#{closed.id}>." in said
    assert "Everyone can read" not in said


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["view_channel", "send_messages", "attach_files"])
async def test_a_channel_in_which_the_bot_can_not_post_is_refused(desk: Desk, permission: str) -> None:
    closed = desk.channel_for_the_bot("closed", **{permission: False})
    said = await change(desk, "moderation approvals", "channel_id", closed)
    assert f"I can't post in {closed.mention}: I'm missing" in said
    assert "Set a channel first" in await change(desk, "moderation approvals", "everyone")
