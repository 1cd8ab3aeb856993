"""What counts as one emoji when an admin types it."""

import pytest

from bot.errors import Refused
from bot.ui.reading.emoji import parse_emoji

ARROWS_AND_LETTERS = ["ℹ️", "↔️", "➡️", "Ⓜ️", "🅰️", "©️", "™️", "㊗️", "〰️", "‼️"]
FLAGS_AND_KEYCAPS = ["🇬🇧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏳️‍🌈", "#️⃣", "🔟"]
PEOPLE = ["☺️", "👩🏽‍❤️‍💋‍👨🏿", "👨‍👩‍👧‍👦", "👁️‍🗨️", "❤️‍🔥", "🪾"]


@pytest.mark.parametrize("typed", [*ARROWS_AND_LETTERS, *FLAGS_AND_KEYCAPS, *PEOPLE])
def test_each_kind_of_emoji_is_taken(typed: str) -> None:
    assert str(parse_emoji(f" {typed} ")) == typed


@pytest.mark.parametrize("typed", ["🔥\U000e0079\U000e0065\U000e0073", "🔥\u200d", "🔥\u200b"])
def test_an_emoji_that_hides_something_is_refused(typed: str) -> None:
    with pytest.raises(Refused, match="Enter exactly one"):
        parse_emoji(typed)


@pytest.mark.parametrize("typed", ["→", "«", "€", "½", "a", "7", ":sofa:", "🔥🔥", "🔥!", "", "<:x:1>"])
def test_signs_that_are_no_emoji_and_several_emoji_are_refused(typed: str) -> None:
    with pytest.raises(Refused, match="Enter exactly one"):
        parse_emoji(typed)
