"""Channels in which the bot does something with each photo by itself."""

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.domain.guilds import Period
from tests.reactions.taps import ROOM, STAGING, jobs_of, post
from tests.support import spending
from tests.support.desk import PNG, Desk, make_bot, texts
from tests.support.settings import admin

EVERY_TOOL = ["🛋️", "🩹", "📦", "💼"]


def under(message: discord.Message) -> list[str]:
    return [str(reaction.emoji) for reaction in message.reactions]


async def offering(desk: Desk) -> None:
    await desk.set_key()
    await admin(desk, "photos offer")


async def automatic(desk: Desk, **options: Any) -> None:
    await desk.set_key()
    await admin(desk, "photos auto", tool="virtual-staging", inputs="style=rustic", **options)


@pytest.mark.promise
async def test_the_tools_emoji_are_put_under_each_photo(desk: Desk) -> None:
    await offering(desk)
    await post(desk, desk.maya, ROOM)
    assert under(desk.channel.history()[-1]) == EVERY_TOOL
    await post(desk, desk.maya)
    assert under(desk.channel.history()[-1]) == []


@pytest.mark.promise
async def test_what_the_bot_offers_can_be_tapped_though_reactions_are_off(desk: Desk) -> None:
    before = await post(desk, desk.maya, ROOM)
    await offering(desk)
    await desk.tom.react(before, STAGING)
    assert await jobs_of(desk) == []  # the bot did not put it there
    offered = await post(desk, desk.maya, ROOM)
    await desk.tom.react(offered, STAGING)
    (job,) = await jobs_of(desk)
    assert (job.user_id, job.origin_message_id) == (desk.tom.id, offered.id)


@pytest.mark.promise
async def test_several_photos_make_several_jobs_up_to_the_bound(desk: Desk) -> None:
    await automatic(desk, most=2)
    await post(desk, desk.maya, ROOM, ("hall.png", PNG), ("attic.png", PNG))
    sources = [job.source.filename for job in await jobs_of(desk) if job.source is not None]
    assert sources == ["room.png", "hall.png"]


@pytest.mark.promise
async def test_an_event_that_comes_twice_makes_no_second_job(desk: Desk) -> None:
    await automatic(desk)
    await post(desk, desk.maya, ROOM)
    desk.env.backend.emit("MESSAGE_CREATE", last_message(desk))
    await desk.env.settle()
    assert len(await jobs_of(desk)) == 1


async def test_the_limits_hold_and_the_poster_is_told_once(desk: Desk) -> None:
    await automatic(desk, most=5)
    await spending.set_budget(desk.services, desk.guild.id, 8, Period.DAY)
    await post(desk, desk.maya, *[(f"{number}.png", PNG) for number in range(5)])
    assert len(await jobs_of(desk)) == 1
    (told,) = desk.maya.user.dm_channel.history()
    assert "0 of 8 credits left today" in texts(told)


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["offer", "auto"])
async def test_what_bots_and_webhooks_post_is_passed_over(desk: Desk, tmp_path: Path, kind: str) -> None:
    await (offering(desk) if kind == "offer" else automatic(desk))
    channel = desk.bot.get_channel(desk.channel.id)
    assert isinstance(channel, discord.TextChannel)
    picture = tmp_path / "out.png"
    picture.write_bytes(PNG)
    await channel.send("A result", file=discord.File(picture))
    await post(desk, desk.maya)
    template = last_message(desk)
    url = "https://cdn.simcord.invalid/a.png"
    picture_of = {"id": "1", "filename": "a.png", "size": 9, "url": url, "proxy_url": url}
    for author in ({"bot": True}, {"webhook": True}):
        event = {**template, "id": str(int(template["id"]) + 1), "attachments": [picture_of]}
        if "bot" in author:
            event["author"] = {**template["author"], "bot": True}
        else:
            event["webhook_id"] = "99"
        calls = len(desk.env.http_requests)
        desk.env.backend.emit("MESSAGE_CREATE", event)
        await desk.env.settle()
        assert len(desk.env.http_requests) == calls
    assert await jobs_of(desk) == []
    assert all(under(message) == [] for message in desk.channel.history())


@pytest.mark.promise
async def test_without_the_intent_the_panels_say_why_it_is_off_and_how_to_turn_it_on(desk: Desk) -> None:
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.services, intents=discord.Intents(guilds=True))
    await desk.env.restart_bot(bot)
    await desk.set_key()
    await admin(desk, "reactions on")
    for command in ("studii photos", "studii setup"):
        answer = await desk.admin.slash(desk.channel, command)
        assert "Message Content Intent" in texts(answer)
        assert "Everything else works without it" in texts(answer)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    assert await jobs_of(desk) == []
    shown = await desk.maya.slash(desk.channel, "virtual-staging", image=ROOM)
    assert "Fetching your photo" in texts(shown)


def last_message(desk: Desk) -> dict[str, Any]:
    """The gateway's last word of a message."""
    return dict([entry[2] for entry in desk.env.backend.transcript if entry[1] == "MESSAGE_CREATE"][-1])
