"""Channels in which the bot does something with each photo by itself."""

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.domain.guilds import Period
from tests.reactions.taps import PORTRAIT, ROOM, STAGING, jobs_of, post
from tests.support import spending
from tests.support.desk import PNG, Desk, make_bot, open_desk, texts
from tests.support.settings import admin, limit_tool

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
async def test_the_tools_emoji_are_put_under_each_photo(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await offering(desk)
        await post(desk, desk.maya, ROOM)
        assert under(desk.channel.history()[-1]) == EVERY_TOOL
        await post(desk, desk.maya)
        assert under(desk.channel.history()[-1]) == []


@pytest.mark.promise
async def test_what_the_bot_offers_can_be_tapped_though_reactions_are_off(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        before = await post(desk, desk.maya, ROOM)
        await offering(desk)
        await desk.tom.react(before, STAGING)
        assert await jobs_of(desk) == []  # the bot did not put it there
        offered = await post(desk, desk.maya, ROOM)
        await desk.tom.react(offered, STAGING)
        (job,) = await jobs_of(desk)
        assert (job.user_id, job.origin_message_id) == (desk.tom.id, offered.id)


async def test_a_tool_that_may_not_be_used_there_is_not_offered(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await offering(desk)
        other = desk.guild.create_text_channel("portraits")
        await desk.services.db.write(
            limit_tool,
            desk.guild.id,
            desk.services.catalog.get("career-photo"),
            channel_id=other.id,
            role_id=None,
        )
        await post(desk, desk.maya, ROOM)
        assert PORTRAIT not in under(desk.channel.history()[-1])


@pytest.mark.parametrize("lacking", ["add_reactions", "attach_files", "read_message_history"])
async def test_where_the_bot_may_not_offer_or_post_the_result_nothing_is_tried(
    tmp_path: Path, lacking: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        closed = desk.channel_for_the_bot("closed", **{lacking: False})
        await admin(desk, "photos offer", channel=closed)
        calls = len(desk.env.http_requests)
        await post(desk, desk.maya, ROOM, channel=closed)
        assert under(closed.history()[-1]) == []
        assert len(desk.env.http_requests) == calls


async def test_an_emoji_that_is_gone_does_not_hinder_the_others(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await offering(desk)
        path = "/channels/*/messages/*/reactions/*/@me"
        desk.env.inject_error("PUT", path, status=404, code=10014, times=1)
        await post(desk, desk.maya, ROOM)
        assert under(desk.channel.history()[-1]) == EVERY_TOOL[1:]


async def test_another_servers_emoji_that_may_not_be_used_does_not_hinder_the_others(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await offering(desk)
        for emoji in EVERY_TOOL:
            await admin(desk, "reactions remove", emoji=emoji)
        for emoji in ("<:theirs:77001122334455>", "🔥"):
            await admin(desk, "reactions map", emoji=emoji, tool="photo-restore")
        path = "/channels/*/messages/*/reactions/*/@me"
        desk.env.inject_error("PUT", path, status=403, code=50013, times=1)
        await post(desk, desk.maya, ROOM)
        assert under(desk.channel.history()[-1]) == ["🔥"]


async def test_each_photo_is_run_for_its_poster(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await automatic(desk)
        message = await post(desk, desk.maya, ROOM, ("hall.png", PNG))
        (job,) = await jobs_of(desk)
        assert (job.user_id, job.tool, job.inputs["style"]) == (desk.maya.id, "virtual-staging", "rustic")
        assert job.origin_message_id == message.id
        assert job.source is not None
        assert job.source.filename == "room.png"


@pytest.mark.promise
async def test_several_photos_make_several_jobs_up_to_the_bound(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await automatic(desk, most=2)
        await post(desk, desk.maya, ROOM, ("hall.png", PNG), ("attic.png", PNG))
        sources = [job.source.filename for job in await jobs_of(desk) if job.source is not None]
        assert sources == ["room.png", "hall.png"]


async def test_a_set_asks_its_poster_once_and_as_a_whole(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await automatic(desk, most=5)
        await spending.set_budget(desk.services, desk.guild.id, None, None, confirm_above=20)
        photos = await post(desk, desk.maya, ROOM, ("hall.png", PNG), ("attic.png", PNG))
        told = [one[2] for one in desk.env.backend.transcript if one[1] == "MESSAGE_CREATE"]
        (again,) = [dict(one) for one in told if one["id"] == str(photos.id)]
        desk.env.backend.emit("MESSAGE_CREATE", again)  # as after a resume
        await desk.env.settle()
        assert await jobs_of(desk) == []
        (asked,) = desk.channel.history()[1:]
        assert "**Virtual staging** of 3 photos costs about 24 credits. Start it?" in texts(asked)
        await desk.maya.click(asked, label="Run · about 24 credits")
        jobs = await jobs_of(desk)
        assert len({job.set_id for job in jobs}) == len({job.origin_message_id for job in jobs}) == 1
        assert len(jobs) == 3


@pytest.mark.promise
async def test_an_event_that_comes_twice_makes_no_second_job(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await automatic(desk)
        await post(desk, desk.maya, ROOM)
        desk.env.backend.emit("MESSAGE_CREATE", last_message(desk))
        await desk.env.settle()
        assert len(await jobs_of(desk)) == 1


async def test_the_limits_hold_and_the_poster_is_told_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await automatic(desk, most=5)
        await spending.set_budget(desk.services, desk.guild.id, 8, Period.DAY)
        await post(desk, desk.maya, *[(f"{number}.png", PNG) for number in range(5)])
        assert len(await jobs_of(desk)) == 1
        (told,) = desk.maya.user.dm_channel.history()
        assert "0 of 8 credits left today" in texts(told)


@pytest.mark.promise
@pytest.mark.parametrize("kind", ["offer", "auto"])
async def test_what_bots_and_webhooks_post_is_passed_over(tmp_path: Path, kind: str) -> None:
    async with open_desk(tmp_path) as desk:
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


async def test_a_channel_can_be_an_ordinary_one_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await offering(desk)
        answer = await admin(desk, "photos show")
        offers = "**Put emoji under each photo in these channels**: "
        assert f"{offers}<#{desk.channel.id}>" in texts(answer)
        assert "🩹 **Photo restoration**" in texts(answer)
        answer = await admin(desk, "photos off")
        assert f"{offers}none" in texts(answer)
        await post(desk, desk.maya, ROOM)
        assert under(desk.channel.history()[-1]) == []


async def test_members_may_not_change_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        with pytest.raises(Exception, match="not visible"):
            await desk.maya.slash(desk.channel, "studii photos")


@pytest.mark.promise
async def test_without_the_intent_the_panels_say_why_it_is_off_and_how_to_turn_it_on(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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
