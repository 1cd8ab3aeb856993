"""How many shards there are."""

import pytest

from bot.cluster import ShardCounts, WantedShards
from tests.support.patience import PATIENCE


async def six() -> int:
    return 6


async def unasked() -> int:
    raise AssertionError("Discord is not to be asked")


@pytest.mark.parametrize(
    ("stored", "setting", "recommended", "takes_all", "number"),
    [
        (0, None, 4, True, 4),
        (0, None, 4, False, 4),
        (4, None, 6, True, 6),  # one process that serves all grows with the bot
        (4, None, 2, True, 4),
        (4, None, None, False, 4),
        (4, 8, None, False, 8),
        (4, 2, None, True, 2),
    ],
)
def test_the_number_of_shards(
    stored: int, setting: int | None, recommended: int | None, *, takes_all: bool, number: int
) -> None:
    wanted = WantedShards(unasked, setting, None if takes_all else 1)
    assert wanted.number(ShardCounts(stored, 0), recommended) == number


async def test_discord_is_asked_only_where_its_answer_may_count() -> None:
    async def asked(stored: int, held: int, setting: int | None, per_process: int | None) -> bool:
        wanted = WantedShards(six, setting, per_process)
        return await wanted.recommendation(ShardCounts(stored, held), within=PATIENCE) == 6

    assert await asked(0, 0, None, 1)
    assert await asked(4, 0, None, None)
    assert not await asked(4, 0, None, 1)
    assert not await asked(4, 1, None, None)
    assert not await asked(0, 0, 4, None)
