"""Menus and taps find a photo wherever it stands, and say what is none."""

from pathlib import Path

import discord
import pytest
from simcord import ChannelHandle

from bot.jobs.models import JobState
from bot.media.spool import OutputFile
from tests.reactions.taps import ROOM, STAGING, jobs_of, post
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, texts
from tests.support.posts import tell_end
from tests.support.settings import admin

RESTORE = "Photo restoration"
IN_THREADS = BOT_PERMISSIONS | discord.Permissions(
    create_public_threads=True, send_messages_in_threads=True, manage_threads=True
)


async def thread_of(desk: Desk) -> ChannelHandle:
    parent = desk.bot.get_channel(desk.channel.id)
    assert isinstance(parent, discord.TextChannel)
    await parent.create_thread(name="rooms", type=discord.ChannelType.public_thread)
    (thread,) = desk.channel.threads
    return thread


@pytest.mark.promise
async def test_a_photo_channel_serves_its_threads_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=IN_THREADS) as desk:
        await desk.set_key()
        await admin(desk, "photos auto", tool="photo-restore")
        thread = await thread_of(desk)
        await post(desk, desk.maya, ROOM, channel=thread)
        (job,) = await jobs_of(desk)
        assert (job.channel_id, job.user_id) == (thread.id, desk.maya.id)


@pytest.mark.promise
async def test_the_picture_of_an_embed_that_another_bot_posted_can_be_used(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=discord.Permissions.all()) as desk:
        await desk.set_key()
        channel = desk.bot.get_channel(desk.channel.id)
        assert isinstance(channel, discord.TextChannel)
        webhook = await channel.create_webhook(name="Pictures of the day")
        embed = discord.Embed(title="Of the day").set_image(url="https://pictures.example/garden.png")
        message = await webhook.send(embed=embed, wait=True)
        await desk.maya.context_menu(desk.channel, RESTORE, message)
        job = await desk.job()
        assert job.source is not None
        assert job.source.filename == "garden.png"


@pytest.mark.promise
async def test_an_animated_picture_is_taken_for_its_first_frame_and_a_video_is_none(desk: Desk) -> None:
    gif, film = ("wave.gif", b"GIF89a" + b"0" * 32), ("film.mp4", b"\x00\x00\x00\x18ftypmp42")
    message = await post(desk, desk.tom, film, gif)
    await desk.maya.context_menu(desk.channel, RESTORE, message)
    job = await desk.job()
    assert job.source is not None
    assert job.source.filename == "wave.gif"
    answer = await desk.maya.context_menu(desk.channel, RESTORE, await post(desk, desk.tom, film))
    assert "That message has no picture" in texts(answer)


@pytest.mark.promise
async def test_a_result_in_a_photo_channel_starts_nothing_by_itself(desk: Desk, tmp_path: Path) -> None:
    await admin(desk, "photos auto", tool="photo-restore")
    await post(desk, desk.maya, ROOM)
    (job,) = await jobs_of(desk)
    done = (JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING, JobState.SUCCEEDED)
    job = await desk.move(job, *done, finished_at=desk.clock.now(), output_kind="image")
    (tmp_path / "made.png").write_bytes(PNG)
    await tell_end(desk.delivery, job, OutputFile(tmp_path / "made.png", "image", "image/png", len(PNG)))
    await desk.env.settle()
    assert len(await jobs_of(desk)) == 1
    assert all(not one.reactions for one in desk.channel.history())


@pytest.mark.promise
async def test_a_post_in_a_forum_is_tapped_where_reactions_are_on_in_the_forum(tmp_path: Path) -> None:
    async with open_desk(tmp_path, permissions=IN_THREADS) as desk:
        await desk.set_key()
        forum = desk.guild.create_forum_channel("rooms")
        await desk.env.settle()
        await admin(desk, "reactions on", channel=forum)
        known = desk.bot.get_channel(forum.id)
        assert isinstance(known, discord.ForumChannel)
        await known.create_thread(name="The hall", content="Look at this")
        (thread,) = forum.threads
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=thread), STAGING)
        (job,) = await jobs_of(desk)
        assert (job.user_id, job.channel_id) == (desk.tom.id, thread.id)
