"""/studii approval: whose requests wait, and in which channel they are posted."""

from pathlib import Path

import discord
import pytest

from bot.jobs.models import Approval, Job
from tests.reactions.taps import jobs_of
from tests.support.desk import PNG, open_desk, texts
from tests.ui.admin.moderation.waiting import approvals


@pytest.mark.promise
async def test_roles_tools_and_word_rules_send_requests_to_approval(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        early = {"words": "blimp", "then": "approve"}
        refused = texts(await desk.admin.slash(desk.channel, "studii words add", **early))
        assert "Set a channel for approvals first" in refused
        role = desk.guild.create_role("Newcomers")
        await approvals(desk, role=role)
        await desk.admin.slash(desk.channel, "studii approval", tool="virtual-staging")
        added = texts(await desk.admin.slash(desk.channel, "studii words add", **early))
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
        removed = await desk.admin.slash(desk.channel, "studii approval", role=role, remove=True)
        assert "Requests for Virtual staging wait." in texts(removed)
        assert "Newcomers" not in texts(removed)
        again = await desk.admin.slash(desk.channel, "studii approval", role=role, remove=True)
        assert "That role or tool isn't on the list." in texts(again)
        off = await desk.admin.slash(desk.channel, "studii approval", off=True)
        assert "Approval is off" in texts(off)
        # Without a channel, what would have been sent there is refused.
        assert "word filter" in texts(await desk.maya.slash(desk.channel, "studio", prompt="A blimp"))


@pytest.mark.promise
async def test_a_channel_that_everyone_reads_is_warned_of(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await approvals(desk)
        said = texts(await desk.admin.slash(desk.channel, "studii approval"))
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
        said = texts(await desk.admin.slash(desk.channel, "studii approval", channel=closed))
        assert f"Requests are posted in <#{closed.id}>." in said
        assert "Everyone can read" not in said


@pytest.mark.promise
@pytest.mark.parametrize("permission", ["view_channel", "send_messages", "attach_files"])
async def test_a_channel_in_which_the_bot_can_not_post_is_refused(tmp_path: Path, permission: str) -> None:
    async with open_desk(tmp_path) as desk:
        closed = desk.channel_for_the_bot("closed", **{permission: False})
        said = texts(await desk.admin.slash(desk.channel, "studii approval", channel=closed))
        assert f"I can't post in {closed.mention}: I'm missing" in said
        assert "Set a channel first" in texts(
            await desk.admin.slash(desk.channel, "studii approval", everyone=True)
        )
