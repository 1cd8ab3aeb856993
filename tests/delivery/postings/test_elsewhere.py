"""Results in a channel of their own, or in threads."""

from dataclasses import replace
from pathlib import Path

import discord
import pytest

from bot.delivery.posts import RETRY_SECONDS
from bot.jobs.models import SourcePhoto
from bot.posts import Later
from bot.ui.jobs.wording import message_link
from tests.delivery.finished import finished, output
from tests.support.desk import Desk, texts
from tests.support.posts import Posted, tell_end

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


async def test_where_no_thread_can_be_made_the_result_is_in_the_channel(desk: Desk, tmp_path: Path) -> None:
    photo = await desk.tom.send(desk.channel, "The kitchen")
    there = SourcePhoto(URL, "room.png", "image/png", 9, photo.id, desk.channel.id)
    desk.env.inject_error("POST", "/channels/*/messages/*/threads", status=403, code=50013, times=1)
    for source in (there, None):  # the second has no message that a thread could be under
        job = replace(await finished(desk), in_thread=True, source=source)
        said = await tell_end(desk.delivery, job, output(tmp_path))
        assert said == Posted(desk.channel.history()[-1].id)
    assert "is ready" in texts(desk.channel.history()[-1])


async def test_while_discord_is_busy_the_thread_is_made_and_the_result_posted_later(
    desk: Desk, tmp_path: Path
) -> None:
    photo = await desk.tom.send(desk.channel, "The kitchen")
    there = SourcePhoto(URL, "room.png", "image/png", 9, photo.id, desk.channel.id)
    desk.env.inject_error("POST", "/channels/*/messages/*/threads", status=503, times=1)
    job = replace(await finished(desk), in_thread=True, source=there)
    before = len(desk.channel.history())
    assert await tell_end(desk.delivery, job, output(tmp_path)) == Later(RETRY_SECONDS)
    assert len(desk.channel.history()) == before
    assert isinstance(await tell_end(desk.delivery, job, output(tmp_path)), Posted)
