"""What each emoji stands for, as an admin sets it."""

from pathlib import Path

import pytest

from bot.features.photo_rules import MAX_EMOJI, Emoji, PhotoChannelKind, Preset, map_emoji, set_channel
from bot.jobs.models import JobState
from bot.ui.reading.emoji import parse_emoji
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support.desk import open_desk, texts
from tests.support.settings import admin, change, opened


@pytest.mark.promise
async def test_an_admin_maps_an_emoji_to_a_tool_with_inputs_and_takes_one_away(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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
        assert "🛋️ **Virtual staging**" not in texts(answer)
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
        await admin(desk, "reactions remove", emoji=STAGING)
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, STAGING)
        assert await jobs_of(desk) == []
        await admin(desk, "reactions map", emoji=STAGING, tool="virtual-staging")
        await desk.maya.react(message, STAGING)
        assert (await desk.job()).tool == "virtual-staging"


@pytest.mark.promise
async def test_an_emoji_that_runs_nothing_is_not_said_to_be_removed(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        nothing = "That emoji doesn't run a tool here any more. Nothing was changed."
        panels = [await opened(desk, "photos") for _ in "12"]
        emoji = parse_emoji(STAGING).key
        said = [await change(desk, "photos", "emoji", emoji, shown=one) for one in panels]
        assert "**Emoji**: 🛋️ Virtual staging removed." in said[0]
        assert nothing in said[1]


@pytest.mark.promise
async def test_a_custom_emoji_can_stand_for_a_tool(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
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
    tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        answer = await admin(desk, "reactions map", **options)
        assert answer.ephemeral
        assert reason in texts(answer)
        assert not desk.services.photo_rules.rules(desk.guild.id).emoji


async def test_two_emoji_for_one_tool_with_other_inputs_are_two_wishes(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        for emoji, inputs in (("🔥", "style=rustic"), ("🪵", "style=scandinavian")):
            await admin(desk, "reactions map", emoji=emoji, tool="virtual-staging", inputs=inputs)
        message = await post(desk, desk.maya, ROOM)
        for emoji in ("🔥", "🪵"):
            await desk.tom.react(message, emoji)
        assert [job.inputs["style"] for job in await jobs_of(desk)] == ["rustic", "scandinavian"]


@pytest.mark.promise
@pytest.mark.parametrize("tapped", ["👍", "👍🏽"])
async def test_an_emoji_stands_for_its_tool_in_every_skin_colour(tmp_path: Path, tapped: str) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        await admin(desk, "reactions map", emoji="👍", tool="photo-restore")
        message = await post(desk, desk.maya, ROOM)
        await desk.tom.react(message, tapped)
        assert [one.tool for one in await jobs_of(desk)] == ["photo-restore"]
        await desk.tom.unreact(message, tapped)
        assert (await desk.job()).state is JobState.CANCELLED


async def test_a_skin_colour_of_its_own_can_stand_for_something_else(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        for emoji, tool in (("👍", "photo-restore"), ("👍🏽", "product-background")):
            await admin(desk, "reactions map", emoji=emoji, tool=tool)
        message = await post(desk, desk.maya, ROOM)
        for emoji in ("👍🏿", "👍🏽"):
            await desk.tom.react(message, emoji)
        assert [one.tool for one in await jobs_of(desk)] == ["photo-restore", "product-background"]


async def test_as_many_emoji_as_may_be_mapped_still_fit_into_what_admins_are_shown(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await ready(desk)
        long: dict[str, str] = dict.fromkeys(("prompt", "mode", "quality", "aspect_ratio"), "W" * 90)
        preset, photos = Preset("studio", long), desk.services.photo_rules
        for number in range(MAX_EMOJI):
            emoji = Emoji(f"{'long_name' * 3}{number}", 77001122334455 + number)
            await photos.change(map_emoji, desk.bot.catalog, desk.guild.id, emoji, preset)
        answer = await admin(desk, "reactions map", emoji="🔥", tool="photo-restore")
        assert f"The limit is {MAX_EMOJI} emoji." in texts(answer)
        for number in range(30):
            channel = desk.guild.create_text_channel(f"rooms-{number}")
            kind = PhotoChannelKind.AUTO if number else PhotoChannelKind.OFFER
            await photos.change(set_channel, desk.guild.id, channel.id, kind, preset, 2)
        panel = await opened(desk, "photos")
        assert len(texts(panel)) <= 4000  # all that Discord takes in one message
        assert "more" in texts(panel)
