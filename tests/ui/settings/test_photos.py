"""`/studii photos`: channels in lists that have no room for all of them."""

import pytest

from bot.features import photo_rules
from bot.features.photo_rules import PhotoChannelKind
from tests.support.desk import Desk, pieces, texts
from tests.support.settings import change, control, opened


@pytest.mark.promise
@pytest.mark.parametrize("name", ["offers", "reactions"])
async def test_a_channel_is_cleared_where_a_list_has_no_room_for_all(desk: Desk, name: str) -> None:
    guild_id = desk.guild.id
    made = [desk.channel_for_the_bot(f"photos-{number}") for number in range(27)]
    there = [one.id for one in made]
    await desk.env.settle()
    for one in (1, 2, *there):  # the first ones were deleted
        if name == "offers":
            rule = photo_rules.set_channel, guild_id, one, PhotoChannelKind.OFFER
            await desk.db.write(*rule)
        else:
            await desk.db.write(photo_rules.turn_reactions, guild_id, one, on=True)
    shown = await opened(desk, "photos")
    picks = control(shown, f"studii:pick:photos:{name}")
    (listed,) = (one for one in pieces(shown) if one.get("custom_id") == picks)
    chosen = [int(one["id"]) for one in listed["default_values"]]
    assert chosen == there[:25]
    await change(desk, "photos", name, *made[:24], shown=shown)
    rules = await desk.db.read(photo_rules.of, guild_id)
    held = rules.reaction_places if name == "reactions" else rules.channels.keys()
    assert sorted(held) == [*there[:24], *there[25:]]


@pytest.mark.promise
async def test_emoji_that_stay_under_photos_of_a_channel_that_is_turned_off_are_said(desk: Desk) -> None:
    assert "⚠️" not in await change(desk, "photos", "offers", desk.channel)
    said = await change(desk, "photos", "offers", None)
    assert "⚠️ My emoji stay under earlier photos, but tapping them does nothing unless" in said


async def test_what_a_message_has_no_room_for_is_on_a_further_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ui.panels.settings.MAX_CHARACTERS", 1500)
    shown = await opened(desk, "photos")
    assert "**Portraits**" not in texts(shown)
    said = await change(desk, "photos", "portraits", "anyone", shown=shown)
    assert "✅ **Portraits**: changed from “your own photos only” to “anyone's photos”." in said
    assert "**Reactions in the whole server**" not in said
