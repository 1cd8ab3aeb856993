"""Taps and posted photos that come to nothing, and what their people learn."""

from pathlib import Path

import pytest
from simcord import MemberActor

from bot.catalog import Catalog
from bot.jobs.confirm import AUTO_SKIPPED, TAP_SKIPPED
from bot.languages import Message
from bot.reactions import photos as watch
from bot.reactions.photos import NOT_READ, OFFER_SKIPPED
from bot.servers import access, settings
from bot.servers.settings import Period, PhotoScope
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.reactions.test_photo_channels import automatic, offering, under
from tests.support import spending
from tests.support.desk import PNG, Desk, open_desk, texts
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


async def test_who_tapped_a_photo_that_discord_does_not_give_is_told_to_tap_again(desk: Desk) -> None:
    await ready(desk)
    message = await post(desk, desk.maya, ROOM)
    desk.env.inject_error("GET", "/channels/*/messages/*", status=400, code=0, times=1)
    await desk.tom.react(message, STAGING)
    assert await jobs_of(desk) == []
    (told,) = desk.tom.user.dm_channel.history()
    assert str(NOT_READ) in texts(told)


async def refused(desk: Desk, why: str) -> None:
    """Make the server refuse Tom's tap for that reason."""
    if why == "photos":
        await desk.resources.db.write(settings.change, desk.guild.id, photos=PhotoScope.OWN)
    elif why == "blocked":
        await desk.resources.db.write(
            access.block, desk.guild.id, desk.tom.id, desk.clock.now(), reason="Spam, @everyone", hours=2
        )
    elif why == "role":
        await desk.resources.db.write(limit_tool, desk.guild.id, None, role_id=4242, channel_id=None)
    if why == "paused":
        await admin(desk, "pause")
    elif why == "at once":
        await spending.set_limits(desk.resources, desk.guild.id, at_once=1)
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


def dms(who: MemberActor) -> list[str]:
    return [texts(one) for one in who.user.dm_channel.history()]


@pytest.mark.promise
async def test_who_taps_when_too_many_wait_is_told_to_tap_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "WAITING", 0)
    async with open_desk(tmp_path, key=True) as desk:
        await ready(desk)
        for _ in range(2):
            await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []
        (told,) = dms(desk.tom)
        assert str(TAP_SKIPPED) in told
        assert f"-# Server: {desk.guild.name}" in told


@pytest.mark.promise
@pytest.mark.parametrize(
    ("way", "bound", "words"),
    [("auto", "WAITING", AUTO_SKIPPED), ("offer", "OFFERS_WAITING", OFFER_SKIPPED)],
)
async def test_who_posts_when_too_many_photos_wait_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, bound: str, words: Message
) -> None:
    monkeypatch.setattr(watch, bound, 0)
    async with open_desk(tmp_path, key=True) as desk:
        await (automatic(desk) if way == "auto" else offering(desk))
        for _ in range(3):
            message = await post(desk, desk.maya, ROOM)
            assert under(message) == []
        assert await jobs_of(desk) == []
        (told,) = dms(desk.maya)
        assert str(words) in told


@pytest.mark.promise
async def test_no_command_is_accepted(desk: Desk) -> None:
    said = texts(await admin(desk, "budget", credits=0))
    assert "0" in said
    for tool in Catalog.load().tools.values():
        options = {"prompt": "A red kite"} if tool.slug == "studio" else {"image": ("room.png", PNG)}
        answer = await desk.maya.slash(desk.channel, tool.slug, **options)
        assert answer.ephemeral
        assert "budget of 0 credits is below the price" in texts(answer), tool.slug
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_no_tap_is_accepted(desk: Desk) -> None:
    await ready(desk)
    await spending.set_budget(desk.resources, desk.guild.id, 0, Period.DAY)
    await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
    (told,) = desk.tom.user.dm_channel.history()
    assert "budget of 0 credits is below the price" in texts(told)
    assert await jobs_of(desk) == []


@pytest.mark.promise
async def test_no_photo_in_a_channel_for_photos_is_accepted(desk: Desk) -> None:
    await spending.set_budget(desk.resources, desk.guild.id, 0, Period.DAY)
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=rustic")
    await post(desk, desk.maya, ROOM)
    (told,) = desk.maya.user.dm_channel.history()
    assert "budget of 0 credits is below the price" in texts(told)
    assert await jobs_of(desk) == []
