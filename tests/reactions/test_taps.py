"""Jobs that start by a tap, and end when the reaction is taken away."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import discord
import pytest

from bot.domain.guilds import Period
from bot.features import photo_rules
from bot.jobs.models import JobState
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready, taken_away
from tests.support import spending
from tests.support.desk import PNG, Desk, make_bot, open_desk
from tests.support.patience import until
from tests.support.servers import come, leave
from tests.support.services import sweep
from tests.support.settings import admin

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


async def test_members_who_tap_one_photo_do_not_wait_for_each_other_but_its_deletion_does(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    get_message, looked_at, looking = desk.bot.http.get_message, asyncio.Event(), [0]

    async def slow(*where: Any) -> Any:
        answer = await get_message(*where)
        looking[0] += 1
        await looked_at.wait()
        return answer

    monkeypatch.setattr(desk.bot.http, "get_message", slow)
    for who in (desk.tom, desk.maya):
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, message, who.id))
    await until(lambda: looking[0] == 2, "both")
    desk.env.backend.delete_message(desk.channel.id, message.id)
    await asyncio.sleep(0.05)
    looked_at.set()
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED] * 2


async def test_it_cancels_while_the_message_is_still_being_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    get_message, looked_at = desk.bot.http.get_message, asyncio.Event()

    async def slow(*where: Any) -> Any:
        await looked_at.wait()
        return await get_message(*where)

    monkeypatch.setattr(desk.bot.http, "get_message", slow)
    event = reaction(desk, message, desk.tom.id)
    desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
    await asyncio.sleep(0.05)
    desk.env.backend.emit("MESSAGE_REACTION_REMOVE", taken_away(event))
    await asyncio.sleep(0.05)
    looked_at.set()
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED]


@pytest.mark.promise
@pytest.mark.parametrize("event", ["MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI"])
async def test_a_moderator_who_clears_reactions_cancels_what_they_started(desk: Desk, event: str) -> None:
    await ready(desk)
    message, other = await post(desk, desk.maya, ROOM), await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await desk.maya.react(message, STAGING)
    await desk.tom.react(other, STAGING)
    cleared = {"channel_id": str(message.channel.id), "message_id": str(message.id)}
    emoji = {"emoji": {"id": None, "name": STAGING}} if event.endswith("EMOJI") else {}
    desk.env.backend.emit(event, {**cleared, "guild_id": str(desk.guild.id), **emoji})
    await desk.env.settle()
    assert await states(desk) == [JobState.CANCELLED, JobState.CANCELLED, JobState.RECEIVED]
    # They did not cancel it themselves, so they are told.
    assert [one.announced_at for one in await jobs_of(desk)][:2] == [None, None]


@pytest.mark.promise
@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("reactions off", {}),
        ("reactions remove", {"emoji": STAGING}),
        ("reactions map", {"emoji": STAGING, "tool": "photo-restore"}),
    ],
)
async def test_it_cancels_though_an_admin_has_changed_the_rules_since(
    desk: Desk, command: str, options: dict[str, str]
) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await admin(desk, command, **options)
    await desk.tom.unreact(message, STAGING)
    assert await states(desk) == [JobState.CANCELLED]


async def test_it_cancels_after_a_restart_of_the_bot(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)
    await desk.tom.unreact(message, STAGING)
    assert await states(desk) == [JobState.CANCELLED]


async def states(desk: Desk) -> list[JobState]:
    return [one.state for one in await jobs_of(desk)]


@pytest.mark.promise
async def test_reactions_spend_nothing_until_an_admin_turns_them_on(desk: Desk) -> None:
    message = await post(desk, desk.maya, ROOM)
    calls = len(desk.env.http_requests)
    await desk.tom.react(message, STAGING)
    assert await jobs_of(desk) == []
    assert len(desk.env.http_requests) == calls


@pytest.mark.promise
async def test_reactions_can_be_on_in_one_channel_alone_and_its_threads(desk: Desk) -> None:
    other = desk.guild.create_text_channel("photos")
    await admin(desk, "reactions on", channel=other)
    await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
    assert await jobs_of(desk) == []
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
    (job,) = await jobs_of(desk)
    assert job.channel_id == other.id
    await admin(desk, "reactions off", channel=other)
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
    assert len(await jobs_of(desk)) == 1


@pytest.mark.promise
async def test_where_the_bot_could_not_post_the_result_nothing_is_spent(desk: Desk) -> None:
    await ready(desk)
    closed = desk.channel_for_the_bot("closed", attach_files=False)
    await desk.tom.react(await post(desk, desk.maya, ROOM, channel=closed), STAGING)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_the_rules_hold_after_a_restart(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
    async with open_desk(tmp_path) as desk:
        await desk.services.photo_rules.load()
        # Another simulated Discord has other ids, so the rule is asked for by the old one.
        (kept,) = (await desk.services.db.read(photo_rules.all_rules)).values()
        assert kept.everywhere
        assert desk.services.photo_rules.rules(kept.guild_id) == kept


async def test_in_a_server_that_takes_the_bot_back_after_a_long_time_everything_is_off(
    desk: Desk,
) -> None:
    await ready(desk)
    await leave(desk)
    desk.clock.advance(31 * 86400)
    await sweep(desk.services)
    await come(desk)
    assert not desk.services.photo_rules.rules(desk.guild.id).everywhere
    assert desk.services.photo_rules.tap(desk.guild.id, STAGING.replace("\ufe0f", "")) is None
