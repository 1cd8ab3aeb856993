"""Where results are posted: elsewhere, in threads, by direct message, or nowhere."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs import queries
from bot.jobs.models import Job, JobState, SourcePhoto
from bot.servers.notices import NoticeKind
from bot.ui.jobs.wording import message_link
from tests.delivery.finished import MESSAGES, finished, output
from tests.support.desk import BOT_PERMISSIONS, Desk, open_desk, texts
from tests.support.posts import Posted, Undeliverable, a_post, deliver, tell_end


async def done(desk: Desk, channel: Any = None, **asked: Any) -> Job:
    await desk.maya.slash(channel or desk.channel, "studio", prompt="A red kite", **asked)
    states = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    return await desk.move(await desk.job(), *states, finished_at=desk.clock.now())


def posted_in_channel(desk: Desk) -> int:
    return len(desk.channel.history())


@pytest.mark.promise
async def test_when_the_bot_may_not_post_any_more_the_result_comes_by_dm(desk: Desk, tmp_path: Path) -> None:
    job = await done(desk)
    closed = desk.channel_for_the_bot("closed", attach_files=False)
    moved = replace(job, channel_id=closed.id)
    assert await tell_end(desk.delivery, moved, output(tmp_path)) == Posted(None, by_dm=True)
    assert closed.history() == []


@pytest.mark.promise
async def test_nothing_comes_by_dm_from_a_place_that_may_be_age_restricted(
    desk: Desk, tmp_path: Path
) -> None:
    job = await done(desk, private=True)
    desk.clock.advance(16 * 60)
    elsewhere = replace(job, channel_id=123, age_restricted=None)
    said = await tell_end(desk.delivery, elsewhere, output(tmp_path))
    assert isinstance(said, Undeliverable)
    assert "results from there can't be shown elsewhere" in said.reason


async def test_the_end_of_a_private_job_from_an_age_restricted_channel_is_told_without_what_it_is(
    desk: Desk,
    tmp_path: Path,
) -> None:
    job = replace(await done(desk, private=True), age_restricted=True)
    desk.clock.advance(16 * 60)  # nothing can be shown in place of its progress any more
    assert isinstance(await tell_end(desk.delivery, job, output(tmp_path)), Undeliverable)
    told_of = {"user": desk.maya.id}
    post = a_post(desk.guild.id, NoticeKind.ENDED, job.nonce, desk.clock.now(), told_of)
    await deliver(desk, post, None)  # see `test_announce`
    dm = await desk.bot.create_dm(discord.Object(desk.maya.id))
    (told,) = [message async for message in dm.history()]
    assert "Use `/jobs` in that server" in texts(told)
    assert job.inputs
    assert not [value for value in job.inputs.values() if value in texts(told)]
    assert not told.attachments


DELETES = BOT_PERMISSIONS | discord.Permissions(manage_channels=True)


@pytest.mark.promise
@pytest.mark.parametrize("later", [0, 3600])
@pytest.mark.world(permissions=DELETES)
async def test_when_the_channel_was_deleted_the_result_comes_by_dm(
    desk: Desk, tmp_path: Path, later: int
) -> None:
    job = await done(desk)
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    await channel.delete()
    desk.clock.advance(later)
    assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None, by_dm=True)
    dm = await desk.bot.create_dm(discord.Object(desk.maya.id))
    (message,) = [message async for message in dm.history()]
    assert len(message.attachments) == 1
    assert f"I can't post in <#{job.channel_id}> any more" in texts(message)


async def test_when_the_bot_was_removed_nothing_is_sent_anywhere(desk: Desk, tmp_path: Path) -> None:
    job = replace(await done(desk), guild_id=1, channel_id=2)
    assert isinstance(await tell_end(desk.delivery, job, output(tmp_path)), Undeliverable)
    assert posted_in_channel(desk) == 0


URL = "https://cdn.discordapp.com/attachments/1/2/room.png"


async def in_results(desk: Desk, **permissions: bool) -> tuple[int, discord.TextChannel]:
    made = desk.channel_for_the_bot("results", **permissions)
    await desk.env.settle()
    channel = desk.bot.get_channel(made.id)
    assert isinstance(channel, discord.TextChannel)
    return made.id, channel


@pytest.mark.promise
async def test_a_result_is_posted_in_the_channel_for_results_and_notifies_there(
    desk: Desk, tmp_path: Path
) -> None:
    there, channel = await in_results(desk)
    job = replace(await finished(desk), post_channel_id=there)
    said = await tell_end(desk.delivery, job, output(tmp_path))
    (message,) = [one async for one in channel.history()]
    assert said == Posted(message.id, there)
    assert [user.id for user in message.mentions] == [desk.maya.id]
    assert desk.channel.history() == []
    desk.clock.advance(10 * 60)
    assert await tell_end(desk.delivery, job, output(tmp_path)) == said  # found there after a restart
    posted = replace(job, result_message_id=message.id, result_channel_id=there)
    assert message_link(posted) == f"https://discord.com/channels/{desk.guild.id}/{there}/{message.id}"


@pytest.mark.promise
async def test_what_can_not_be_posted_there_is_posted_where_it_was_asked_for(
    desk: Desk, tmp_path: Path
) -> None:
    there, _ = await in_results(desk, send_messages=False)
    for gone in (there, 12345):
        job = replace(await finished(desk), post_channel_id=gone)
        said = await tell_end(desk.delivery, job, output(tmp_path))
        assert said == Posted(desk.channel.history()[-1].id)


@pytest.mark.promise
async def test_nothing_from_an_age_restricted_channel_is_posted_elsewhere(desk: Desk, tmp_path: Path) -> None:
    there, _ = await in_results(desk)
    job = replace(await finished(desk), post_channel_id=there, age_restricted=True)
    said = await tell_end(desk.delivery, job, output(tmp_path))
    assert said == Posted(desk.channel.history()[-1].id)


@pytest.mark.promise
async def test_a_result_is_posted_in_a_thread_under_its_photo_also_a_second_one(
    desk: Desk, tmp_path: Path
) -> None:
    photo = await desk.tom.send(desk.channel, "The kitchen")
    source = SourcePhoto(URL, "room.png", "image/png", 9, photo.id, desk.channel.id)
    for _ in range(2):
        job = replace(await finished(desk), in_thread=True, source=source)
        said = await tell_end(desk.delivery, job, output(tmp_path))
        assert isinstance(said, Posted)
        assert said.channel_id == photo.id
    thread = desk.bot.get_channel(photo.id)
    assert isinstance(thread, discord.Thread)
    assert thread.name == "Studio"
    ours = [one async for one in thread.history() if one.author == desk.bot.user]
    assert len(ours) == 2


async def test_a_result_that_can_have_no_thread_is_posted_in_the_channel(desk: Desk, tmp_path: Path) -> None:
    photo = await desk.tom.send(desk.channel, "The kitchen")
    source = SourcePhoto(URL, "room.png", "image/png", 9, photo.id, desk.channel.id)
    job = replace(await finished(desk), in_thread=True, source=source)
    path = "/channels/*/messages/*/threads"
    desk.env.inject_error("POST", path, status=400, code=160006, times=1)  # too many active threads
    said = await tell_end(desk.delivery, job, output(tmp_path))
    assert said == Posted(desk.channel.history()[-1].id)


PERMISSIONS = BOT_PERMISSIONS | discord.Permissions(create_public_threads=True, send_messages_in_threads=True)


async def open_thread(desk: Desk, **state: bool) -> ChannelHandle:
    parent = desk.bot.get_channel(desk.channel.id)
    assert isinstance(parent, discord.TextChannel)
    await parent.create_thread(name="ideas", type=discord.ChannelType.public_thread)
    (thread,) = desk.channel.threads
    await change(desk, thread, **state)
    return thread


async def change(desk: Desk, thread: ChannelHandle, **state: bool) -> None:
    desk.env.backend.edit_channel(thread.id, {}, thread_metadata=state)
    await desk.env.settle()


@pytest.mark.promise
@pytest.mark.world(permissions=PERMISSIONS)
async def test_in_a_locked_thread_a_command_is_refused_and_costs_nothing(desk: Desk) -> None:
    thread = await open_thread(desk, locked=True)
    told = await desk.maya.slash(thread, "studio", prompt="A red kite")
    assert told.ephemeral
    assert "This thread is locked" in texts(told)
    assert "Nothing was charged." in texts(told)
    assert await desk.db.read(queries.in_states, list(JobState)) == []


async def announce_in(desk: Desk, folder: Path, **permissions: bool) -> Any:
    job = await finished(desk)
    channel = desk.channel_for_the_bot("closed", **permissions)
    await desk.env.settle()
    return await tell_end(desk.delivery, replace(job, channel_id=channel.id), output(folder))


@pytest.mark.promise
@pytest.mark.parametrize("lost", ["view_channel", "send_messages", "attach_files"])
async def test_where_the_bot_may_not_post_any_more_and_dms_are_closed_it_is_undeliverable(
    desk: Desk, tmp_path: Path, lost: str
) -> None:
    desk.close_dms()
    outcome = await announce_in(desk, tmp_path, **{lost: False})
    assert isinstance(outcome, Undeliverable)
    assert lost.replace("_", " ").title() in outcome.reason


async def test_a_posting_that_somebody_deleted_is_not_made_again(desk: Desk, tmp_path: Path) -> None:
    # Discord answers a nonce that it knows with 10008 when its message was deleted.
    job = await finished(desk)
    desk.env.inject_error("POST", MESSAGES, status=404, code=10008, times=1)
    assert await tell_end(desk.delivery, job, output(tmp_path)) == Posted(None)


@pytest.mark.promise
async def test_no_trouble_with_discord_leaves_a_trace_of_the_token(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="bot")
    async with open_desk(tmp_path, key=True) as desk:
        job = await finished(desk)
        desk.env.inject_error("POST", MESSAGES, status=500, times=1)
        await tell_end(desk.delivery, job, output(tmp_path))
    assert "simcord_interaction" not in caplog.text


def told(desk: Desk) -> discord.Message:
    channel = desk.maya.user.dm_channel
    assert channel is not None
    return channel.history()[-1]
