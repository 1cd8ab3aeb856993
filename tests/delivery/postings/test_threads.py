"""Threads: a locked one is refused before anything is spent; an archived one comes back by posting."""

from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.media.spool import OutputFile
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, texts
from tests.support.posts import Posted, tell_end

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


async def test_who_may_manage_threads_may_post_in_a_locked_one(tmp_path: Path) -> None:
    allowed = PERMISSIONS | discord.Permissions(manage_threads=True)
    async with open_desk(tmp_path, permissions=allowed) as desk:
        thread = await open_thread(desk, locked=True)
        job = await done(desk, thread)
        said = await tell_end(desk.delivery, job, output(tmp_path))
        assert said == Posted(thread.history()[-1].id)


async def test_a_thread_that_was_only_archived_takes_the_command_and_its_result(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=PERMISSIONS) as desk:
        thread = await open_thread(desk, archived=True)
        job = await done(desk, thread)
        said = await tell_end(desk.delivery, job, output(tmp_path))
        assert said == Posted(thread.history()[-1].id)


@pytest.mark.parametrize("archived", [False, True])
async def test_from_a_thread_that_was_locked_meanwhile_the_result_comes_by_dm(
    tmp_path: Path, *, archived: bool
) -> None:
    async with open_desk(tmp_path, permissions=PERMISSIONS) as desk:
        thread = await open_thread(desk)
        job = await done(desk, thread)
        before = len(thread.history())
        await change(desk, thread, locked=True, archived=archived)
        if archived:
            # Nothing is known of one that rests; Discord refuses, which the simulation does not.
            assert desk.bot.get_channel(thread.id) is None
            here = f"/channels/{thread.id}/messages"
            desk.env.inject_error("POST", here, status=400, code=50083, times=None)
        assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None, by_dm=True)
        assert len(thread.history()) == before
        dm = await desk.bot.create_dm(discord.Object(desk.maya.id))
        assert [len(message.attachments) async for message in dm.history()] == [1]
