"""Tapping an emoji under a photo runs the tool that it stands for, once, for whoever taps."""

import asyncio
import logging

import discord
import pytest

from bot.domain.guilds import Period
from bot.jobs.models import JobState
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support import spending
from tests.support.desk import PNG, Desk

SLOW = 500  # turns of the loop


@pytest.mark.promise
async def test_the_same_person_photo_and_tool_run_once(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    (job,) = await jobs_of(desk)
    await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    for _ in range(2):
        await desk.tom.unreact(message, STAGING)
        await desk.tom.react(message, STAGING)
    assert len(await jobs_of(desk)) == 1
    await desk.maya.react(message, STAGING)
    await desk.tom.react(message, "🩹")
    assert [(one.user_id, one.tool) for one in await jobs_of(desk)] == [
        (desk.tom.id, "virtual-staging"),
        (desk.maya.id, "virtual-staging"),
        (desk.tom.id, "photo-restore"),
    ]


@pytest.mark.promise
async def test_two_taps_at_the_same_moment_make_one_job_and_nothing_else_is_seen(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    seen = len(desk.channel.history())
    event = reaction(desk, message, desk.tom.id)
    for _ in range(20):
        desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
    await desk.env.settle()
    assert len(await jobs_of(desk)) == 1
    assert len(desk.channel.history()) == seen
    assert desk.tom.user.dm_channel is None or desk.tom.user.dm_channel.history() == []
    assert not [one for one in caplog.records if one.levelno >= logging.WARNING or one.exc_info]


async def test_what_is_being_made_is_not_cancelled(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    (job,) = await jobs_of(desk)
    await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    await desk.tom.unreact(message, STAGING)
    (job,) = await jobs_of(desk)
    assert job.state is JobState.RUNNING


async def test_another_photo_that_an_edit_moved_to_the_first_place_is_another_wish(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM, ("hall.png", PNG))
    await desk.tom.react(message, STAGING)
    await desk.move(await desk.job(), JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
    stored = desk.env.backend.get_message(message.channel.id, message.id)
    kept = {"attachments": stored.attachments[1:]}
    desk.env.backend.edit_message(message.channel.id, message.id, kept)
    await desk.tom.unreact(message, STAGING)
    await desk.tom.react(message, STAGING)
    names = [one.source.filename for one in await jobs_of(desk) if one.source is not None]
    assert names == ["room.png", "hall.png"]


@pytest.mark.promise
async def test_with_room_for_two_the_first_two_who_tap_are_the_two(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    photos = [await post(desk, desk.maya, ROOM) for _ in range(12)]
    fetch = discord.PartialMessageable.fetch_message

    async def slowest_first(channel: discord.PartialMessageable, message_id: int) -> discord.Message:
        if message_id == photos[0].id:
            for _ in range(SLOW):
                await asyncio.sleep(0)
        return await fetch(channel, message_id)

    monkeypatch.setattr(discord.PartialMessageable, "fetch_message", slowest_first)
    await spending.set_budget(desk.services, desk.guild.id, 2 * 8 + 7, Period.DAY)
    for number, photo in enumerate(photos):
        who = desk.tom if number % 2 else desk.maya
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, who.id))
    await desk.env.settle()
    assert [job.origin_message_id for job in await jobs_of(desk)] == [one.id for one in photos[:2]]
