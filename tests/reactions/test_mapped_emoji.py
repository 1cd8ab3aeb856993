"""What each emoji stands for, as an admin sets it."""

import pytest

from bot.jobs.models import JobState
from bot.ui.reading.emoji import parse_emoji
from tests.reactions.taps import ROOM, STAGING, jobs_of, post, reaction, ready
from tests.support.desk import Desk, texts
from tests.support.settings import admin, change, opened


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


@pytest.mark.promise
async def test_an_emoji_that_runs_nothing_is_not_said_to_be_removed(desk: Desk) -> None:
    await ready(desk)
    nothing = "That emoji doesn't run a tool here any more. Nothing was changed."
    panels = [await opened(desk, "photos") for _ in "12"]
    emoji = parse_emoji(STAGING).key
    said = [await change(desk, "photos", "emoji", emoji, shown=one) for one in panels]
    assert "**Emoji**: 🛋️ Virtual staging removed." in said[0]
    assert nothing in said[1]


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
    assert not desk.services.photo_rules.rules(desk.guild.id).emoji


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
