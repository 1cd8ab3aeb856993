"""What an admin's command can't do changes nothing, and the answer says why."""

from typing import Any

import pytest

from bot.features.photo_rules import MAX_PHOTO_CHANNELS, PhotoChannelKind, set_channel
from bot.features.words import rules
from tests.support import spending
from tests.support.desk import Desk, texts
from tests.support.settings import admin

# What is typed, and what is answered. `role`, `member` and `channel` stand for some that there are.
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("grant", {"credits": -5}, "No credits were granted for today, so you can't take any back."),
]  # fmt: skip


async def typed(desk: Desk, command: str, **options: Any) -> str:
    answer = await desk.admin.slash(desk.channel, f"studii {command}", **options)
    assert answer.ephemeral
    return texts(answer)


@pytest.mark.promise
async def test_what_makes_no_sense_changes_nothing_and_the_answer_says_why(desk: Desk) -> None:
    there = {"role": desk.guild.create_role("VIP"), "member": desk.maya, "channel": desk.channel}
    for command, options, why in REFUSED:
        told = await typed(desk, command, **{name: there.get(str(one), one) for name, one in options.items()})
        assert why in told
        assert "Nothing was changed." in told
    assert (await spending.member_limits(desk.services, desk.guild.id)).default is None
    assert (await spending.budget(desk.services, desk.guild.id)).is_default
    assert await desk.services.db.read(rules, desk.guild.id) == ()


async def test_of_very_many_photo_channels_one_more_is_refused(desk: Desk) -> None:
    for number in range(MAX_PHOTO_CHANNELS):
        offered = desk.guild.id, 1_500_000_000_000_000_000 + number, PhotoChannelKind.OFFER
        await desk.services.photo_rules.change(set_channel, *offered)
    shown = await admin(desk, "photos auto", tool="photo-restore")
    assert "The limit is 200 photo channels. Turn one off first." in texts(shown)
