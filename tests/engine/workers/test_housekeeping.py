"""What is done now and then: for servers that have removed the bot or seem to, and of several processes by
one."""

from pathlib import Path

import pytest

from bot.cluster import Membership
from bot.db import DIRECT_MESSAGES, SHARD_BITS, Shards
from bot.servers import keys, privacy
from tests.engine.world import GUILD, engine_world

OTHER = 4321


class AProcess(Membership):
    """One of two that share the servers."""

    def __init__(self, shard: int) -> None:
        self.shards = Shards(2, frozenset({shard}))


@pytest.mark.parametrize(("shard", "left"), [(DIRECT_MESSAGES, 0), (1, 2)])
async def test_of_several_processes_one_does_the_housekeeping_of_all_servers(
    tmp_path: Path, shard: int, left: int
) -> None:
    async with engine_world(tmp_path, member=AProcess(shard)) as world:
        for guild_id in (GUILD, GUILD + (1 << SHARD_BITS)):
            key = await world.use_key(world.studii.add_key(), guild_id)
            await world.db.write(keys.retire, key.id, world.clock.now())
        await world.engine()._tidy()  # pyright: ignore[reportPrivateUsage]
        assert await world.db.write(privacy.erase_retired_keys, world.clock.now()) == left
