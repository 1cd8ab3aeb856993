"""Processes on one PostgreSQL take shards, keep them, and lose them; and how many shards there are."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from bot import db, meta
from bot.cluster import Membership, identify_turn
from bot.connections import used_once
from bot.db import Database
from bot.errors import NotAlone
from tests.cluster.members import SHORT, process_on, replaced
from tests.support.database import writing
from tests.support.patience import PATIENCE, until
from tests.support.postgresql import new_migrated_database


@pytest.fixture
async def url(migrated_postgresql: str) -> str:
    return await new_migrated_database(migrated_postgresql)


async def serving(member: Membership) -> None:
    async with asyncio.timeout(PATIENCE):
        await member.stand_by()


@pytest.mark.promise
async def test_each_takes_as_many_shards_as_it_may_and_one_more_stands_by(url: str) -> None:
    async with AsyncExitStack() as stack:
        members = [
            await stack.enter_async_context(process_on(url, f"p{number}", count=4, per_process=2))
            for number in range(3)
        ]
        await until(lambda: sum(len(one.shards.held) for one in members) == 4)
        await asyncio.sleep(2 * SHORT.renewed_every)
        shares = sorted((sorted(one.shards.held) for one in members), key=len)
        assert shares[0] == []
        assert sorted(shares[1] + shares[2]) == [0, 1, 2, 3]
        busy = next(one for one in members if one.shards.held)
        spare = next(one for one in members if not one.shards.held)
        taken = busy.shards.held
        await replaced(url, busy)
        await until(lambda: spare.shards.held)
        assert spare.shards.held == taken


@pytest.mark.promise
async def test_the_number_of_shards_stays_until_all_processes_have_stopped(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with process_on(url, count=2, per_process=1) as first:
        await serving(first)
        async with process_on(url, count=3, per_process=1) as second:
            await serving(second)
            assert second.shards.count == 2
            assert "SHARD_COUNT is 3, but" in caplog.text
    async with process_on(url, count=3, per_process=1) as third:
        await serving(third)
        assert third.shards.count == 3
    async with process_on(url, shards=7, per_process=1) as fourth:
        await serving(fourth)
        assert fourth.shards.count == 3


@pytest.mark.promise
async def test_shards_that_nobody_takes_are_an_error(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with process_on(url, count=3, per_process=1) as only:
        await until(lambda: only.free_shards == 2)
        await until(lambda: "No process serves shards 1, 2 of 3" in caplog.text)
        async with process_on(url, per_process=2) as other:
            await until(lambda: only.free_shards == 0)
            assert len(other.shards.held) == 2
    said = [one for one in caplog.records if "No process serves" in one.message]
    assert [one.levelno for one in said] == [logging.ERROR]


@pytest.mark.promise
async def test_nobody_takes_over_while_a_transaction_of_the_holder_is_open(url: str) -> None:
    async with process_on(url) as first:
        await serving(first)
        async with Database.open(url, fence=first) as db:
            async with writing(db):
                taking = asyncio.create_task(replaced(url, first))
                await asyncio.sleep(3 * SHORT.renewed_every)
                assert not taking.done()
                assert first.may_act()  # its renewals wait for nothing
            await asyncio.wait_for(taking, PATIENCE)
            with pytest.raises(NotAlone):
                await db.write(meta.set_to, "step", b"1")


async def test_who_is_stopped_within_a_transaction_does_not_keep_its_shards(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "BOUNDS", db.BOUNDS.replace("5s", "500ms"))
    async with process_on(url) as first:
        await serving(first)
        async with used_once(url) as stopped:
            # What a transaction begins with, and then nothing any more.
            await stopped.run_sync(db.begin, first)
            await stopped.execute(text("UPDATE meta SET value = value"))
            async with process_on(url) as second:
                await replaced(url, first)
                await serving(second)
            with pytest.raises(Exception, match=r"idle|closed|connection"):
                await stopped.execute(text("SELECT 1"))
            await stopped.invalidate()


@pytest.mark.promise
async def test_turns_at_the_gateway_are_spaced_over_all_processes(url: str) -> None:
    async with Database.open(url) as one, Database.open(url) as other:
        assert await one.write(identify_turn, 0, 0.5) is None
        wait = await other.write(identify_turn, 0, 0.5)
        assert wait is not None
        assert 0.0 <= wait <= 0.5
        assert await other.write(identify_turn, 1, 0.5) is None
        await asyncio.sleep(wait + 0.1)
        assert await other.write(identify_turn, 0, 0.5) is None
