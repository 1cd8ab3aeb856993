"""A database that somebody else holds: people are told so, and nothing was changed."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bot.db import Database
from bot.errors import Busy
from bot.jobs import accept as acceptance
from bot.servers import access
from bot.servers.key_entry import forget
from tests.services.world import GUILD, MEMBER, PICTURE, ServicesWorld
from tests.support import spending
from tests.support.services import accept, rule


@pytest.mark.promise
@pytest.mark.driver_thread
async def test_a_crowded_database_says_busy_and_takes_nothing(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    monkeypatch.setattr(acceptance, "COMMAND_WRITE_TIMEOUT", 0.05)
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy, match="busy right now"):
        await world.accept()
    other_process.execute("ROLLBACK")
    other_process.close()
    assert await world.jobs() == []
    assert world.told == []


@pytest.mark.promise
@pytest.mark.driver_thread
async def test_everybody_waits_as_long_however_many_came_before(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    monkeypatch.setattr(acceptance, "COMMAND_WRITE_TIMEOUT", 3.0)
    service = world.services.acceptance
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    first = [asyncio.create_task(accept(service, replace(PICTURE, user_id=one))) for one in range(1, 251)]
    await asyncio.sleep(2.5)
    later = [asyncio.create_task(accept(service, replace(PICTURE, user_id=one))) for one in range(251, 255)]
    told = await asyncio.gather(*first, return_exceptions=True)
    assert {type(one) for one in told} == {Busy}
    other_process.execute("ROLLBACK")
    other_process.close()
    # Those who came later are none of the first group, and still have time left.
    assert [job.user_id for job in await asyncio.gather(*later)] == [251, 252, 253, 254]
    assert len(await world.jobs()) == 4


async def _block(world: ServicesWorld) -> None:
    await world.services.db.write(access.block, GUILD, MEMBER, world.clock.now())


CHANGES: dict[str, Callable[[ServicesWorld], Awaitable[object]]] = {
    "budget": lambda world: spending.set_budget(world.services, GUILD, 5, None),
    "grant": lambda world: spending.grant(world.services, GUILD, None, 5),
    "limits": lambda world: spending.set_limits(world.services, GUILD, at_once=1),
    "access": _block,
    "keys": lambda world: world.services.db.write(forget, GUILD, 1, world.clock.now()),
    "rulings": lambda world: rule(world.services, GUILD, "0" * 16, None),
}


@pytest.mark.promise
@pytest.mark.parametrize("what", CHANGES)
async def test_admins_too_are_told_that_it_is_busy_and_nothing_was_changed(
    world: ServicesWorld, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(Database.write, "__kwdefaults__", {"within": 0.05})
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    with pytest.raises(Busy):
        await CHANGES[what](world)
    other_process.execute("ROLLBACK")
    other_process.close()
    assert (await spending.budget(world.services, GUILD)).whole == 100
    assert not (await world.services.db.read(access.of, GUILD, world.clock.now())).blocked
