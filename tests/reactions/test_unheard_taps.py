"""Taps that come to nothing: who tapped learns why by DM, each reason once in a while."""

import pytest

from bot.domain.guilds import Period
from bot.servers import access
from bot.servers.access import PhotoScope
from tests.reactions.taps import PORTRAIT, ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support import spending
from tests.support.desk import Desk, make_bot, texts
from tests.support.services import erase
from tests.support.settings import admin, limit_tool


async def test_a_bot_that_taps_starts_nothing(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    event = reaction(desk, message, 4242)
    event["member"]["user"] = {
        "id": "4242",
        "username": "robot",
        "avatar": None,
        "discriminator": "0",
        "bot": True,
    }
    desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
    await desk.env.settle()
    assert await jobs_of(desk) == []


async def test_a_portrait_tool_takes_ones_own_photo_by_tap_too(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, PORTRAIT)
    assert await jobs_of(desk) == []
    await desk.maya.react(message, PORTRAIT)
    assert len(await jobs_of(desk)) == 1


async def refused(desk: Desk, why: str) -> None:
    """Make the server refuse Tom's tap for that reason."""
    if why == "photos":
        await desk.services.db.write(access.change, desk.guild.id, photos=PhotoScope.OWN)
    elif why == "blocked":
        await desk.services.db.write(
            access.block, desk.guild.id, desk.tom.id, desk.clock.now(), reason="Spam, @everyone", hours=2
        )
    elif why == "role":
        await desk.services.db.write(limit_tool, desk.guild.id, None, role_id=4242, channel_id=None)
    if why == "paused":
        await admin(desk, "pause")
    elif why == "at once":
        await spending.set_limits(desk.services, desk.guild.id, at_once=1)
        await desk.tom.slash(desk.channel, "studio", prompt="A red kite")


@pytest.mark.promise
@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("photos", "you can only use Virtual staging on your own photos"),
        ("blocked", "The reason: “Spam, @\u200beveryone”. An admin can unblock you"),
        ("role", "Studii is only for <@&4242> in this server."),
        ("paused", "New jobs are paused in this server."),
        ("at once", "You already have 1 job running, the limit here."),
    ],
)
async def test_each_refusal_is_told_by_dm_once_in_a_while(desk: Desk, why: str, told: str) -> None:
    await ready(desk)
    await refused(desk, why)
    before = len(await jobs_of(desk))
    message = await post(desk, desk.maya, ROOM)
    for emoji in (STAGING, "🩹", "📦"):
        if why != "photos" or emoji == STAGING:
            await desk.tom.react(message, emoji)
    assert len(await jobs_of(desk)) == before
    assert desk.channel.history()[-1].id == message.id
    (said,) = desk.tom.user.dm_channel.history()
    assert told in texts(said)
    desk.clock.advance(3601)
    await desk.tom.unreact(message, STAGING)
    await desk.tom.react(message, STAGING)
    assert len(desk.tom.user.dm_channel.history()) == 2


@pytest.mark.promise
async def test_who_posts_in_a_photo_channel_learns_why_nothing_was_started(desk: Desk) -> None:
    await admin(desk, "photos auto", tool="photo-restore")
    await refused(desk, "blocked")
    for _ in range(2):
        await post(desk, desk.tom, ROOM)
    assert await jobs_of(desk) == []
    (said,) = desk.tom.user.dm_channel.history()
    assert "You are blocked from using Studii in this server until" in texts(said)


@pytest.mark.promise
async def test_whose_dms_are_closed_is_told_in_the_channel_that_there_is_a_reason(desk: Desk) -> None:
    await ready(desk)
    await refused(desk, "blocked")
    message = await post(desk, desk.maya, ROOM)
    desk.close_dms()
    for emoji in (STAGING, "🩹"):
        await desk.tom.react(message, emoji)
    path = f"/channels/{desk.channel.id}/messages"
    (reply,) = [call for call in desk.env.http_requests if (call.method, call.path) == ("POST", path)]
    assert f"<@{desk.tom.id}>, nothing was started, and your DMs are closed" in str(reply.json)
    assert "Spam" not in str(reply.json)
    assert desk.channel.history()[-1].id != message.id
    desk.clock.advance(61)
    await desk.outbox.work()
    assert desk.channel.history()[-1].id == message.id


@pytest.mark.promise
async def test_short_credits_are_told_by_dm_once_an_hour(desk: Desk) -> None:
    await ready(desk)
    await spending.set_budget(desk.services, desk.guild.id, 1, Period.DAY)
    message = await post(desk, desk.maya, ROOM)
    for emoji in (STAGING, "🩹", "📦"):
        await desk.tom.react(message, emoji)
    (told,) = desk.tom.user.dm_channel.history()
    assert "Harbour Street Studio" in texts(told)
    assert "The daily budget of 1 credit is below the price" in texts(told)
    desk.clock.advance(3601)
    await desk.tom.unreact(message, STAGING)
    await desk.tom.react(message, STAGING)
    assert len(desk.tom.user.dm_channel.history()) == 2
    assert desk.channel.history()[-1].id == message.id


@pytest.mark.promise
async def test_a_restart_tells_nobody_twice_in_an_hour(desk: Desk) -> None:
    await ready(desk)
    await spending.set_budget(desk.services, desk.guild.id, 1, Period.DAY)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services)
    await desk.env.restart_bot(bot)

    async def told_again() -> int:
        await desk.tom.unreact(message, STAGING)
        await desk.tom.react(message, STAGING)
        return len(desk.tom.user.dm_channel.history())

    assert await told_again() == 1
    desk.clock.advance(3601)
    assert await told_again() == 2
    await erase(desk.services, desk.tom.id)
    assert await told_again() == 3  # nothing is left of it
