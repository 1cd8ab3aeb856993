"""Threads: a locked one is refused before anything is spent; an archived one comes back by posting."""

from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, texts

PERMISSIONS = BOT_PERMISSIONS | discord.Permissions(create_public_threads=True, send_messages_in_threads=True)


async def open_thread(desk: Desk, **state: bool) -> ChannelHandle:
    await desk.set_key()
    parent = desk.bot.get_channel(desk.channel.id)
    assert isinstance(parent, discord.TextChannel)
    await parent.create_thread(name="ideas", type=discord.ChannelType.public_thread)
    (thread,) = desk.channel.threads
    await change(desk, thread, **state)
    return thread


async def change(desk: Desk, thread: ChannelHandle, **state: bool) -> None:
    desk.env.backend.edit_channel(thread.id, {}, thread_metadata=state)
    await desk.env.settle()


async def done(desk: Desk, thread: ChannelHandle) -> Job:
    await desk.maya.slash(thread, "studio", prompt="A red kite")
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    return await desk.move(await desk.job(), *states, finished_at=desk.clock.now())


def output(folder: Path) -> OutputFile:
    file = folder / "out.png"
    file.write_bytes(PNG)
    return OutputFile(file, "image", "image/png", len(PNG))


@pytest.mark.promise
async def test_in_a_locked_thread_a_command_is_refused_and_costs_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=PERMISSIONS) as desk:
        thread = await open_thread(desk, locked=True)
        told = await desk.maya.slash(thread, "studio", prompt="A red kite")
        assert told.ephemeral
        assert "This thread is locked" in texts(told)
        assert "Nothing was charged." in texts(told)
        assert await desk.db.read(queries.in_states, list(JobState)) == []
