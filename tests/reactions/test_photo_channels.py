"""Photo channels and mapped emoji, and what admins are told is in their way."""

from pathlib import Path
from typing import Any

import discord
import pytest

from bot.jobs.models import JobState
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support.desk import PNG, Desk, make_bot, texts
from tests.support.settings import admin

EVERY_TOOL = ["🛋️", "🩹", "📦", "💼"]


def under(message: discord.Message) -> list[str]:
    return [str(reaction.emoji) for reaction in message.reactions]


async def offering(desk: Desk) -> None:
    await admin(desk, "photos offer")


async def automatic(desk: Desk, **options: Any) -> None:
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
    bot, _ = make_bot(desk.bot.catalog, desk.clock, desk.resources, intents=discord.Intents(guilds=True))
    await desk.env.restart_bot(bot)
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


@pytest.mark.promise
async def test_an_admin_maps_an_emoji_to_a_tool_with_inputs_and_takes_one_away(desk: Desk) -> None:
    await ready(desk)
    answer = await admin(
        desk,
        "reactions map",
        emoji="🔥",
        tool="studio",
        inputs="prompt=a warm, cosy evening, quality=high",
    )
    assert "🔥 **Studio** (prompt a warm, cosy evening · quality high)" in texts(answer)
    answer = await admin(desk, "reactions remove", emoji=STAGING)
    assert "\n🛋️ **Virtual staging**" not in texts(answer)
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, STAGING)
    await desk.tom.react(message, "🔥")
    (job,) = await jobs_of(desk)
    assert job.inputs == {
        "source": "image",
        "prompt": "a warm, cosy evening",
        "mode": "image",
        "quality": "high",
        "aspect_ratio": "16:9",
    }


@pytest.mark.promise
async def test_a_custom_emoji_can_stand_for_a_tool(desk: Desk) -> None:
    await ready(desk)
    await admin(desk, "reactions map", emoji="<:sofa:77001122334455>", tool="virtual-staging")
    message = await post(desk, desk.maya, ROOM)
    event = reaction(desk, message, desk.tom.id)
    event["emoji"] = {"id": "77001122334455", "name": "renamed"}
    desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
    await desk.env.settle()
    assert (await desk.job()).tool == "virtual-staging"


@pytest.mark.promise
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"emoji": "🔥", "tool": "studio"}, "Studio needs `prompt`"),
        (
            {"emoji": "🔥", "tool": "virtual-staging", "inputs": "colour=red"},
            "Its inputs are `style` and `room`",
        ),
        ({"emoji": "🔥", "tool": "virtual-staging", "inputs": "rustic"}, "name=value"),
        ({"emoji": "fire", "tool": "virtual-staging"}, "The bot doesn't know that emoji"),
        ({"emoji": "🔥🔥", "tool": "virtual-staging"}, "The bot doesn't know that emoji"),
    ],
)
async def test_what_can_not_run_by_a_tap_is_refused_with_the_reason(
    desk: Desk, options: dict[str, str], reason: str
) -> None:
    await ready(desk)
    answer = await admin(desk, "reactions map", **options)
    assert answer.ephemeral
    assert reason in texts(answer)
    assert not desk.resources.photo_rules.rules(desk.guild.id).emoji


@pytest.mark.promise
@pytest.mark.parametrize("tapped", ["👍", "👍🏽"])
async def test_an_emoji_stands_for_its_tool_in_every_skin_colour(desk: Desk, tapped: str) -> None:
    await ready(desk)
    await admin(desk, "reactions map", emoji="👍", tool="photo-restore")
    message = await post(desk, desk.maya, ROOM)
    await desk.tom.react(message, tapped)
    assert [one.tool for one in await jobs_of(desk)] == ["photo-restore"]
    await desk.tom.unreact(message, tapped)
    assert (await desk.job()).state is JobState.CANCELLED


@pytest.mark.promise
@pytest.mark.parametrize(
    ("command", "options", "lacking"),
    [
        ("photos offer", {}, "**Send Messages**, **Attach Files**, and **Add Reactions**"),
        ("photos auto", {"tool": "photo-restore"}, "**Send Messages** and **Attach Files**"),
        ("reactions on", {}, "**Send Messages** and **Attach Files**"),
    ],
)
async def test_an_admin_is_told_what_the_bot_lacks_in_the_channel_that_was_named(
    desk: Desk, command: str, options: dict[str, str], lacking: str
) -> None:
    closed = desk.channel_for_the_bot("closed", add_reactions=False, send_messages=False)
    answer = await admin(desk, command, channel=closed, **options)
    warning = f"Nothing will run in <#{closed.id}>: I'm missing {lacking} ("
    assert warning in texts(answer)
    # The setup looks beyond the channel that it is called in.
    assert warning in texts(await desk.admin.slash(desk.channel, "studii setup"))


@pytest.mark.promise
async def test_reactions_for_the_whole_server_name_the_channels_where_they_do_nothing(desk: Desk) -> None:
    closed = [desk.channel_for_the_bot(f"closed-{number}", attach_files=False) for number in range(7)]
    hidden = desk.channel_for_the_bot("hidden", view_channel=False)
    said = texts(await admin(desk, "reactions on"))
    assert [f"<#{channel.id}>" in said for channel in closed] == [True] * 5 + [False] * 2
    assert "The same applies to 2 more" in said
    assert f"<#{hidden.id}>" not in said


@pytest.mark.promise
@pytest.mark.parametrize(("paused", "why"), [(False, "no Studii key yet"), (True, "New jobs are paused")])
@pytest.mark.world(key=False)
async def test_while_the_server_takes_no_jobs_admins_are_told_and_no_emoji_are_offered(
    desk: Desk, paused: bool, why: str
) -> None:
    if paused:
        await desk.set_key()
        await admin(desk, "pause")
    for deed in ("reactions on", "photos offer"):
        assert why in texts(await admin(desk, deed))
    assert await offered(desk) == 0
    await (admin(desk, "resume") if paused else desk.set_key())
    assert await offered(desk) == 4


async def offered(desk: Desk) -> int:
    await post(desk, desk.maya, ROOM)
    return len(desk.channel.history()[-1].reactions)
