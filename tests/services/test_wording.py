"""Pieces of sentences."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot.features.wording import credit_words, discord_timestamp, size_words


def test_a_moment_is_the_same_for_discord_in_whatever_zone_it_is_given() -> None:
    utc = datetime(2026, 3, 3, tzinfo=UTC)
    assert discord_timestamp(utc) == "<t:1772496000:R>"
    assert (
        discord_timestamp(utc.astimezone(timezone(timedelta(hours=5, minutes=30))), "f") == "<t:1772496000:f>"
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0 credits"), (1, "1 credit"), (8, "8 credits"), (1200, "1,200 credits"), (-1, "-1 credits")],
)
def test_credits_are_counted_in_words(amount: int, words: str) -> None:
    assert credit_words(amount) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [(25_000_000, "25 MB"), (25_000_001, "25.1 MB"), (31_240_000, "31.3 MB"), (1, "0.1 MB"), (0, "0 MB")],
)
def test_sizes_are_rounded_up(size: int, words: str) -> None:
    assert str(size_words(size)) == words
