"""Tapping an emoji under a photo runs the tool that it stands for."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from bot.model import Job, JobState, Period
from bot.policy import Whose
from tests.support.desk import BOT_PERMISSIONS, PNG, Desk, open_desk, texts

ROOM = ("room.png", PNG)
STAGING, PORTRAIT = "🛋️", "💼"


async def jobs_of(desk: Desk) -> list[Job]:
    async with desk.storage.read() as transaction:
        return await transaction.jobs.in_states(list(JobState))


async def post(
    desk: Desk, who: MemberActor, *files: tuple[str, bytes], channel: ChannelHandle | None = None
) -> discord.Message:
    place = channel or desk.channel
    await who.send(place, "Look", attachments=list(files))
    return place.history()[-1]


async def ready(desk: Desk) -> None:
    await desk.set_key()
    await desk.admin.slash(desk.channel, "studii reactions on")


async def test_whoever_taps_is_the_requester_and_the_photo_its_source(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        (job,) = await jobs_of(desk)
        assert (job.user_id, job.tool) == (desk.tom.id, "virtual-staging")
        assert job.inputs == {"style": "modern", "room": "living"}
        assert (job.origin_message_id, job.channel_id) == (message.id, desk.channel.id)
        assert job.source is not None
        assert desk.env.backend.cdn.get(job.source.url) == PNG
        assert desk.woken


async def test_reactions_spend_nothing_until_an_admin_turns_them_on(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        message = await post(desk, desk.maya, ROOM)
        calls = len(desk.env.http_requests)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert len(desk.env.http_requests) == calls


async def test_reactions_can_be_on_in_one_channel_alone_and_its_threads(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await desk.set_key()
        other = desk.guild.create_text_channel("photos")
        await desk.admin.slash(desk.channel, "studii reactions on", channel=other)
        await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
        (job,) = await jobs_of(desk)
        assert job.channel_id == other.id
        await desk.admin.slash(desk.channel, "studii reactions off", channel=other)
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=other), STAGING)
        assert len(await jobs_of(desk)) == 1


async def test_the_same_person_photo_and_tool_run_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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


async def test_two_taps_at_the_same_moment_make_one_job(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        event = reaction(desk, message, desk.tom.id)
        for _ in range(20):
            desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
        await desk.env.settle()
        assert len(await jobs_of(desk)) == 1


async def test_taking_the_reaction_away_cancels_what_waits_and_it_can_be_tapped_again(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        await desk.maya.react(message, STAGING)
        await desk.tom.unreact(message, STAGING)
        first, second = await jobs_of(desk)
        assert (first.state, first.reserved) == (JobState.CANCELLED, 0)
        assert second.state is JobState.RECEIVED
        await desk.tom.react(message, STAGING)
        assert [one.state for one in await jobs_of(desk)][-1] is JobState.RECEIVED


async def test_what_is_being_made_is_not_cancelled(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        (job,) = await jobs_of(desk)
        await desk.move(job, JobState.WAITING, JobState.SUBMITTING, JobState.RUNNING)
        await desk.tom.unreact(message, STAGING)
        (job,) = await jobs_of(desk)
        assert job.state is JobState.RUNNING


@pytest.mark.parametrize("files", [(), (("notes.pdf", b"%PDF-1.7"),)])
async def test_nothing_visible_happens_under_a_message_without_a_picture_that_is_taken(
    tmp_path: Path, files: Sequence[tuple[str, bytes]]
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, *files)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id


async def test_a_bot_that_taps_starts_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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


async def test_the_bots_own_messages_are_no_photos(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        channel = desk.bot.get_channel(desk.channel.id)
        assert isinstance(channel, discord.TextChannel)
        await channel.send("Made by me", file=discord.File(tmp_path / "studii.db", "room.png"))
        message = desk.channel.history()[-1]
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        # Discord also tells whose message it is, and then it need not even be looked at.
        calls = len(desk.env.http_requests)
        desk.env.backend.emit("MESSAGE_REACTION_ADD", reaction(desk, message, desk.tom.id))
        await desk.env.settle()
        assert len(desk.env.http_requests) == calls


async def test_a_portrait_tool_takes_ones_own_photo_by_tap_too(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, PORTRAIT)
        assert await jobs_of(desk) == []
        await desk.maya.react(message, PORTRAIT)
        assert len(await jobs_of(desk)) == 1


async def test_people_without_access_see_nothing_happen(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.access.set_photos(desk.guild.id, photos=Whose.OWN)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id
        assert desk.tom.user.dm_channel is None or desk.tom.user.dm_channel.history() == []


async def test_where_the_bot_could_not_post_the_result_nothing_is_spent(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        closed = desk.channel_for_the_bot("closed", attach_files=False)
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=closed), STAGING)
        assert await jobs_of(desk) == []


async def test_short_credits_are_told_by_dm_once_an_hour(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.credits.set_budget(desk.guild.id, 1, Period.DAY)
        message = await post(desk, desk.maya, ROOM)
        for emoji in (STAGING, "🩹", "📦"):
            await desk.tom.react(message, emoji)
        (told,) = desk.tom.user.dm_channel.history()
        assert "Harbour Street Studio" in texts(told)
        assert "Waiting will not help: it is 1 credit a day" in texts(told)
        desk.clock.advance(3601)
        await desk.tom.unreact(message, STAGING)
        await desk.tom.react(message, STAGING)
        assert len(desk.tom.user.dm_channel.history()) == 2
        assert desk.channel.history()[-1].id == message.id


async def test_closed_dms_are_no_error(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.credits.set_budget(desk.guild.id, 1, Period.DAY)
        desk.env.inject_error("POST", "/users/@me/channels", status=403, code=50007, times=None)
        await desk.tom.react(await post(desk, desk.maya, ROOM), STAGING)
        assert await jobs_of(desk) == []


async def test_an_admin_maps_an_emoji_to_a_tool_with_inputs_and_takes_one_away(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        answer = await desk.admin.slash(
            desk.channel,
            "studii reactions map",
            emoji="🔥",
            tool="studio",
            inputs="prompt=a warm, cosy evening, quality=high",
        )
        assert "🔥 **Studio** (prompt a warm, cosy evening, quality high)" in texts(answer)
        answer = await desk.admin.slash(desk.channel, "studii reactions remove", emoji=STAGING)
        assert "Virtual staging" not in texts(answer)
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


async def test_an_emoji_that_was_taken_away_can_be_put_back(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.admin.slash(desk.channel, "studii reactions remove", emoji=STAGING)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        await desk.admin.slash(desk.channel, "studii reactions map", emoji=STAGING, tool="virtual-staging")
        await desk.maya.react(message, STAGING)
        assert (await desk.job()).tool == "virtual-staging"


async def test_a_tap_in_a_thread_counts_where_reactions_are_on_in_its_channel(tmp_path: Path) -> None:
    allowed = BOT_PERMISSIONS | discord.Permissions(create_public_threads=True, send_messages_in_threads=True)
    async with open_desk(tmp_path, permissions=allowed) as desk:
        await desk.set_key()
        await desk.admin.slash(desk.channel, "studii reactions on", channel=desk.channel)
        parent = desk.bot.get_channel(desk.channel.id)
        assert isinstance(parent, discord.TextChannel)
        await parent.create_thread(name="rooms", type=discord.ChannelType.public_thread)
        (thread,) = desk.channel.threads
        await desk.tom.react(await post(desk, desk.maya, ROOM, channel=thread), STAGING)
        assert (await desk.job()).channel_id == thread.id


async def test_a_blocked_member_taps_in_vain(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.services.access.block(desk.guild.id, desk.tom.id)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        assert desk.channel.history()[-1].id == message.id


async def test_a_custom_emoji_can_stand_for_a_tool(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await desk.admin.slash(
            desk.channel, "studii reactions map", emoji="<:sofa:77001122334455>", tool="virtual-staging"
        )
        message = await post(desk, desk.maya, ROOM)
        event = reaction(desk, message, desk.tom.id)
        event["emoji"] = {"id": "77001122334455", "name": "renamed"}
        desk.env.backend.emit("MESSAGE_REACTION_ADD", event)
        await desk.env.settle()
        assert (await desk.job()).tool == "virtual-staging"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"emoji": "🔥", "tool": "studio"}, "Studio needs `prompt`"),
        ({"emoji": "🔥", "tool": "virtual-staging", "inputs": "colour=red"}, "It takes `style`, `room`"),
        ({"emoji": "🔥", "tool": "virtual-staging", "inputs": "rustic"}, "name=value"),
        ({"emoji": "fire", "tool": "virtual-staging"}, "That is no emoji"),
        ({"emoji": "🔥🔥", "tool": "virtual-staging"}, "That is no emoji"),
        ({"emoji": "🔥", "tool": "nonsense"}, "There is no tool"),
    ],
)
async def test_what_can_not_run_by_a_tap_is_refused_with_the_reason(
    tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        answer = await desk.admin.slash(desk.channel, "studii reactions map", **options)
        assert answer.ephemeral
        assert reason in texts(answer)
        assert not desk.services.photos.rules(desk.guild.id).emoji


async def test_the_rules_hold_after_a_restart(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
    async with open_desk(tmp_path) as desk:
        await desk.services.photos.load()
        # Another simulated Discord has other ids, so the rule is asked for by the old one.
        async with desk.storage.read() as transaction:
            (kept,) = (await transaction.photo_rules.all()).values()
        assert kept.everywhere
        assert desk.services.photos.rules(kept.guild_id) == kept


def reaction(desk: Desk, message: discord.Message, user_id: int) -> dict[str, Any]:
    """What the gateway tells when someone taps 🛋️."""
    return {
        "user_id": str(user_id),
        "channel_id": str(message.channel.id),
        "message_id": str(message.id),
        "guild_id": str(desk.guild.id),
        "message_author_id": str(message.author.id),
        "emoji": {"id": None, "name": STAGING},
        "type": 0,
        "burst": False,
        "member": {
            "user": {"id": str(user_id), "username": "tom", "discriminator": "0", "avatar": None},
            "roles": [],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
        },
    }
