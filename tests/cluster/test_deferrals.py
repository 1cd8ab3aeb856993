"""Deferrals that a process leaves behind are another's to answer."""

import asyncio

import pytest

from bot.cluster import DeferralTable, lease_database, leave
from bot.errors import NotAlone
from tests.cluster.members import process_on
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_migrated_database

SERVERS = (1 << 30, (1 << 30) + (1 << 22))  # of shards 0 and 1


@pytest.mark.promise
async def test_who_takes_over_finds_what_was_left_in_its_servers(migrated_postgresql: str) -> None:
    url = await new_migrated_database(migrated_postgresql)
    async with process_on(url, count=2, per_process=2) as first:
        await asyncio.wait_for(first.stand_by(), PATIENCE)
        async with DeferralTable.open(url, first) as table:
            # Hundreds at once are one transaction or two.
            await asyncio.gather(
                *(table.keep(number, SERVERS[number % 2], b"once") for number in range(1, 301))
            )
            await table.keep(1, SERVERS[1], b"again")
            await asyncio.gather(*(table.drop(number) for number in range(6, 301)))
            assert await table.left() == []  # its own are under way
            async with process_on(url, per_process=1) as second, lease_database(url) as leases:
                await leases.write(leave, first.epoch or 0)
                await asyncio.wait_for(second.stand_by(), PATIENCE)
                assert second.shards.held == {0}
                async with DeferralTable.open(url, second) as theirs:
                    assert await theirs.left() == [(2, b"once"), (4, b"once")]
                    await theirs.drop(2)
                    assert await theirs.left() == [(4, b"once")]
                with pytest.raises(NotAlone):
                    await table.keep(7, SERVERS[0], b"of one that was replaced")
