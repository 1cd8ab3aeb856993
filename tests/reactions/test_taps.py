"""Jobs that start by a tap, and end when the reaction is taken away."""

import asyncio

import discord
import pytest

from bot.jobs.models import JobState
from bot.servers.settings import Period
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support import spending
from tests.support.desk import Desk, make_bot
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
    await spending.set_budget(desk.resources, desk.guild.id, 2 * 8 + 7, Period.DAY)
    for number, photo in enumerate(photos):
        who = desk.tom if number % 2 else desk.maya
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, photo, who.id))
    await desk.env.settle()
    assert [job.origin_message_id for job in await jobs_of(desk)] == [one.id for one in photos[:2]]


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
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources)
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
