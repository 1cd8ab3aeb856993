"""Who moderates in a channel that was deleted: those with Manage Server alone."""

from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs.models import JobState
from tests.support.desk import BOT_PERMISSIONS, Desk, open_desk, pieces
from tests.ui.admin.moderation.waiting import approvals, moderator

DELETES = BOT_PERMISSIONS | discord.Permissions(manage_channels=True)


async def delete(desk: Desk, channel: ChannelHandle) -> None:
    known = desk.bot.get_channel(channel.id)
    assert isinstance(known, discord.TextChannel)
    await known.delete()


@pytest.mark.promise
async def test_others_jobs_there_can_be_cancelled_by_those_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=DELETES) as desk:
        await desk.set_key()
        channel, ines = desk.guild.create_text_channel("lost"), moderator(desk)
        await desk.maya.slash(channel, "studio", prompt="A red kite")
        await delete(desk, channel)
        button = await desk.channel_message(f"studii:cancel:{(await desk.job()).id}-0")
        await ines.click(button, label="Press")
        assert (await desk.job()).state is not JobState.CANCELLED
        await desk.admin.click(button, label="Press")
        assert (await desk.job()).state is JobState.CANCELLED


@pytest.mark.promise
async def test_results_that_wait_there_are_seen_by_those_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=DELETES) as desk:
        channel, ines = await approvals(desk, everyone=True, results=True), moderator(desk)
        assert "Results not posted" in str(pieces(await ines.slash(desk.channel, "jobs")))
        await delete(desk, channel)
        assert "Results not posted" not in str(pieces(await ines.slash(desk.channel, "jobs")))
        assert "Results not posted" in str(pieces(await desk.admin.slash(desk.channel, "jobs")))
