"""Until when a process may act, and how many shards there are."""

import pytest

from bot.cluster import Lease, LeaseTimes, ShardCounts, WantedShards
from tests.support.patience import PATIENCE

TIMES = LeaseTimes(lasts=20.0, renewed_every=5.0, margin=1.0, tells_for=300.0)


async def six() -> int:
    return 6


async def unasked() -> int:
    raise AssertionError("Discord is not to be asked")


def test_a_lease_counts_from_when_it_was_asked_for_and_not_from_the_answer() -> None:
    lease = Lease(TIMES)
    assert not lease.lasts_at(0.0)
    lease.renewing(100.0)
    assert not lease.lasts_at(100.1)
    lease.renewed()
    assert lease.lasts_at(118.9)
    assert not lease.lasts_at(119.0)


def test_a_process_that_stood_still_is_not_taken_for_one_that_is_cut_off() -> None:
    lease = Lease(TIMES)
    lease.renewing(100.0)
    lease.renewed()
    assert not lease.is_cut_off_at(145.0)
    lease.renewing(145.0)
    assert lease.is_cut_off_at(146.0)
    assert lease.is_cut_off_at(160.0)  # a server that hangs lets a try take this long
    assert not lease.is_cut_off_at(119.0 + TIMES.tells_for + 1)


def test_nothing_is_allowed_after_another_process_has_taken_over() -> None:
    lease = Lease(TIMES)
    lease.renewing(100.0)
    lease.renewed()
    lease.end()
    assert not lease.lasts_at(101.0)
    assert not lease.is_cut_off_at(101.0)


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
