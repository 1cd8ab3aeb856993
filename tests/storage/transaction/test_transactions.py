"""Transactions of many at once: their order, and what each of them sees."""

import asyncio
import gc

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.orm import Session

from bot import meta as bot_meta
from bot.credits import ledger
from bot.db import connected, wake
from bot.errors import DatabaseAway, DatabaseFailed
from bot.meta import Meta
from bot.storage import Changes, Storage
from tests.storage.transaction.counting import count_up, counted
from tests.support.jobs import TODAY, a_job, accept_within


async def test_fifty_writers_at_once_lose_no_update(storage: Storage) -> None:
    await asyncio.gather(*(count_up(storage) for _ in range(50)))
    assert await counted(storage) == 50


async def test_writers_take_turns_in_the_order_in_which_they_came(storage: Storage) -> None:
    order: list[int] = []

    async def writer(number: int) -> None:
        async with storage.write():
            order.append(number)

    await asyncio.gather(*(writer(number) for number in range(20)))
    assert order == list(range(20))


async def test_fifty_at_once_on_a_budget_with_room_for_five_accept_five(storage: Storage) -> None:
    async def accept() -> bool:
        async with storage.write() as transaction:
            return await accept_within(transaction, a_job(estimate=5), limit=29)

    assert sum(await asyncio.gather(*(accept() for _ in range(50)))) == 5
    async with storage.read() as transaction:
        assert (await transaction.run(ledger.used, [1], TODAY))[1][None].spent == 25
        assert await transaction.run(ledger.differing) == []


async def test_a_block_that_raises_leaves_nothing_behind(storage: Storage) -> None:
    async def fail_halfway() -> None:
        async with storage.write() as transaction:
            await transaction.run(bot_meta.set_to, "count", b"7")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail_halfway()
    assert await counted(storage) == 0


async def test_a_function_within_a_transaction_is_part_of_it(storage: Storage) -> None:
    told: list[Changes] = []

    def add(session: Session, value: bytes) -> None:
        session.execute(insert(Meta).values(name="count", value=value))
        wake(session, ("posts",), ("best",))

    async def fail_afterwards() -> None:
        async with storage.write() as transaction:
            await transaction.run(add, b"7")
            raise RuntimeError("afterwards")

    with storage.listening(told.append):
        with pytest.raises(RuntimeError, match="afterwards"):
            await fail_afterwards()
        assert (await counted(storage), told) == (0, [])
        async with storage.write() as transaction:
            await transaction.run(add, b"7")
            assert told == []
    assert await counted(storage) == 7
    assert told == [Changes(posts=True, best=True)]


async def test_a_reader_sees_one_moment_while_others_write(storage: Storage) -> None:
    async with storage.read() as transaction:
        assert await transaction.run(bot_meta.get, "count") is None
        await count_up(storage)
        assert await transaction.run(bot_meta.get, "count") is None
    assert await counted(storage) == 1


async def test_a_reader_can_not_write(storage: Storage) -> None:
    with pytest.raises(DatabaseFailed) as told:
        async with storage.read() as transaction:
            await transaction.run(bot_meta.set_to, "count", b"1")
    assert "read" in str(told.value.__cause__)
    await count_up(storage)


async def test_more_readers_than_connections_all_come_to_read(storage: Storage) -> None:
    await count_up(storage)
    assert await asyncio.gather(*(counted(storage) for _ in range(30))) == [1] * 30


@pytest.mark.usefixtures("tables")
async def test_what_was_committed_is_there_after_a_restart(url: str) -> None:
    for _ in range(2):
        async with Storage.open(url) as storage:
            await count_up(storage)
    async with Storage.open(url) as storage:
        assert await counted(storage) == 2


@pytest.mark.usefixtures("file")
async def test_the_file_is_written_through_and_ready_for_readers(storage: Storage, url: str) -> None:
    await count_up(storage)
    async with connected(vars(storage.db)["_writing"]) as run:
        found = {
            name: (await run(Connection.exec_driver_sql, f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.usefixtures("tables")
@pytest.mark.parametrize("way", ["read", "write"])
async def test_who_is_in_a_transaction_ends_it_before_the_database_is_closed(url: str, way: str) -> None:
    """As a handler of an event may, whom nobody waits for when the bot leaves; no connection stays open."""
    began = asyncio.Event()

    async def linger(storage: Storage) -> bytes | None:
        async with getattr(storage, way)() as transaction:
            began.set()
            await asyncio.sleep(0.05)
            return await transaction.run(bot_meta.get, "count")

    async with Storage.open(url) as storage:
        lingering = asyncio.create_task(linger(storage))
        await began.wait()
    assert lingering.done()
    assert await lingering is None
    gc.collect()  # a connection that was left open would complain, and warnings are errors
    for late in (storage.read, storage.write):
        with pytest.raises(DatabaseAway):
            async with late():
                pytest.fail("closed")
