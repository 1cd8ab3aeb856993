"""A database that somebody else holds: people are told so, and nothing was changed."""

import asyncio
import sqlite3
from dataclasses import replace

import pytest

from bot.errors import Busy
from bot.jobs import accept as acceptance
from tests.support.resources import PICTURE, ResourcesWorld, accept


@pytest.mark.promise
@pytest.mark.driver_thread
async def test_a_crowded_database_says_busy_and_takes_nothing(
    world: ResourcesWorld, monkeypatch: pytest.MonkeyPatch
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
    world: ResourcesWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.ready()
    monkeypatch.setattr(acceptance, "COMMAND_WRITE_TIMEOUT", 4.0)
    service = world.resources.acceptance
    other_process = sqlite3.connect(world.file, isolation_level=None)
    other_process.execute("BEGIN IMMEDIATE")
    first = [asyncio.create_task(accept(service, replace(PICTURE, user_id=one))) for one in range(1, 61)]
    await asyncio.sleep(3.0)
    later = [asyncio.create_task(accept(service, replace(PICTURE, user_id=one))) for one in range(61, 65)]
    told = await asyncio.gather(*first, return_exceptions=True)
    assert {type(one) for one in told} == {Busy}
    other_process.execute("ROLLBACK")
    other_process.close()
    # Those who came later are none of the first group, and still have time left.
    assert [job.user_id for job in await asyncio.gather(*later)] == [61, 62, 63, 64]
    assert len(await world.jobs()) == 4
