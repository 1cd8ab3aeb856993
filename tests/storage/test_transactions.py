import asyncio
import gc
import random
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from bot.errors import Busy, DatabaseAway, DatabaseFailed
from bot.storage import COMMAND_WRITE_TIMEOUT, Storage, migrate
from bot.storage.database.engines import read_engine, write_engine
from bot.storage.database.sqlite_driver import OneCallConnection
from tests.support.jobs import TODAY, a_job, accept_within


async def count_up(storage: Storage, patience: float = COMMAND_WRITE_TIMEOUT) -> None:
    async with storage.write(patience=patience) as transaction:
        counted = int(await transaction.meta.get("count") or b"0")
        await asyncio.sleep(0)
        await transaction.meta.set("count", b"%d" % (counted + 1))


async def counted(storage: Storage) -> int:
    async with storage.read() as transaction:
        return int(await transaction.meta.get("count") or b"0")


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
        assert (await transaction.ledger.usage(1, TODAY)).spent == 25
        assert await transaction.audit.everything() == []


async def test_a_block_that_raises_leaves_nothing_behind(storage: Storage) -> None:
    async def fail_halfway() -> None:
        async with storage.write() as transaction:
            await transaction.meta.set("count", b"7")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail_halfway()
    assert await counted(storage) == 0


async def test_a_reader_sees_one_moment_while_others_write(storage: Storage) -> None:
    async with storage.read() as transaction:
        assert await transaction.meta.get("count") is None
        await count_up(storage)
        assert await transaction.meta.get("count") is None
    assert await counted(storage) == 1


async def test_a_reader_can_not_write(storage: Storage) -> None:
    with pytest.raises(DatabaseFailed) as told:
        async with storage.read() as transaction:
            await transaction.meta.set("count", b"1")
    assert "read" in str(told.value.__cause__)
    await count_up(storage)


async def test_more_readers_than_connections_all_come_to_read(storage: Storage) -> None:
    await count_up(storage)
    assert await asyncio.gather(*(counted(storage) for _ in range(30))) == [1] * 30


async def test_who_waits_too_long_for_another_writer_is_told_that_the_bot_is_busy(storage: Storage) -> None:
    async with storage.write():
        with pytest.raises(Busy):
            async with storage.write(patience=0.02):
                pytest.fail("two writers at once")
    await count_up(storage)
    assert await counted(storage) == 1


async def test_who_waits_too_long_for_another_process_is_told_that_the_bot_is_busy(
    storage: Storage, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            await count_up(storage, patience=0.05)
        other.execute("ROLLBACK")
    await count_up(storage)
    assert await counted(storage) == 1


async def test_another_process_that_lets_go_in_time_is_waited_for(storage: Storage, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer = asyncio.create_task(count_up(storage))
        await asyncio.sleep(0.05)
        assert not writer.done()
        other.execute("ROLLBACK")
        await writer
    assert await counted(storage) == 1


async def test_a_writer_cancelled_while_another_process_holds_the_file_leaves_the_line(
    storage: Storage, file: Path
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        writer = asyncio.create_task(count_up(storage))
        await asyncio.sleep(0.02)
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writer
        other.execute("ROLLBACK")
    await count_up(storage)
    assert await counted(storage) == 1


async def test_a_storm_of_cancellations_leaves_the_database_whole_and_usable(storage: Storage) -> None:
    chance = random.Random(20260504)
    committed = 0

    async def transfer() -> None:
        nonlocal committed
        async with storage.write() as transaction:
            left = int(await transaction.meta.get("left") or b"0")
            right = int(await transaction.meta.get("right") or b"0")
            await transaction.meta.set("left", b"%d" % (left + 1))
            await transaction.meta.set("right", b"%d" % (right - 1))
        committed += 1

    async def look() -> None:
        async with storage.read() as transaction:
            left = int(await transaction.meta.get("left") or b"0")
            assert left == -int(await transaction.meta.get("right") or b"0")

    for _ in range(6):
        tasks = [asyncio.create_task(transfer()) for _ in range(25)]
        tasks += [asyncio.create_task(look()) for _ in range(25)]
        for _ in range(40):
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            if chance.random() < 0.3:
                await asyncio.sleep(0.001)
            chance.choice(tasks).cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(one) for one in ended} <= {type(None), asyncio.CancelledError}
        await look()

    await asyncio.gather(*(transfer() for _ in range(25)), *(look() for _ in range(25)))
    async with storage.read() as transaction:
        # A task that was cancelled during its commit has committed without living to count it.
        assert int(await transaction.meta.get("left") or b"0") >= committed >= 25


async def test_a_commit_is_finished_though_its_task_is_cancelled(storage: Storage) -> None:
    committing, go_on = asyncio.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        committing.set()
        driver = connection.connection.dbapi_connection
        if isinstance(driver, OneCallConnection):
            driver.call(lambda _: go_on.wait())  # in the driver's thread, where a disk is slow
        else:
            await_only(asyncio.to_thread(go_on.wait))

    event.listen(Engine, "commit", slowly)
    try:
        task = asyncio.create_task(count_up(storage))
        await committing.wait()
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    finally:
        event.remove(Engine, "commit", slowly)
    assert await counted(storage) == 1


async def test_a_cancelled_statement_does_not_cost_the_connection(storage: Storage) -> None:
    await count_up(storage)
    opened: list[object] = []

    def note(connection: object, _record: object) -> None:
        opened.append(connection)

    event.listen(Engine, "connect", note)
    try:
        for steps in range(12):
            task = asyncio.create_task(count_up(storage))
            for _ in range(steps * 3):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait((task,))
    finally:
        event.remove(Engine, "connect", note)
    assert opened == []


async def test_each_statement_is_one_call_into_the_drivers_thread(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await count_up(storage)
    calls: list[object] = []
    call = OneCallConnection.call

    def count(connection: OneCallConnection, function: Callable[[sqlite3.Connection], object]) -> object:
        calls.append(function)
        return call(connection, function)

    monkeypatch.setattr(OneCallConnection, "call", count)
    async with storage.write() as transaction:
        for number in range(3):
            await transaction.meta.set("count", b"%d" % number)
    assert len(calls) in {0, 3 + 1}  # and the commit; none where the database is a server


async def test_a_statement_that_is_cancelled_ends_and_nothing_after_it_is_done(storage: Storage) -> None:
    async def write_three() -> None:
        async with storage.write() as transaction:
            await transaction.meta.set("count", b"1")
            tasks[0].cancel()
            await transaction.meta.set("count", b"2")
            pytest.fail("went on though it was cancelled")

    tasks = [asyncio.create_task(write_three())]
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert await counted(storage) == 0
    await count_up(storage)
    assert await counted(storage) == 1


async def test_what_was_committed_is_there_after_a_restart(url: str) -> None:
    await migrate(url)
    for _ in range(2):
        async with Storage.open(url) as storage:
            await count_up(storage)
    async with Storage.open(url) as storage:
        assert await counted(storage) == 2


@pytest.mark.usefixtures("file")
async def test_a_full_disk_is_a_failure_of_the_database_and_told_as_that(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    await count_up(storage)
    async with storage.write() as transaction:
        await vars(transaction.meta)["_session"].run("PRAGMA max_page_count=1")  # no more than there are
    with pytest.raises(DatabaseFailed, match="can't use its database right now"):
        async with storage.write() as transaction:
            await transaction.meta.set("large", bytes(1_000_000))
    said = "The database can't be written (database or disk is full). The bot will keep trying."
    assert said in caplog.text
    assert await counted(storage) == 1


async def test_an_error_of_what_was_asked_is_no_failure_of_the_database(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IntegrityError):
        async with storage.write() as transaction:
            await transaction.meta.set("count", cast("bytes", None))
    assert caplog.records == []


@pytest.mark.usefixtures("file")
async def test_the_file_is_written_through_and_ready_for_readers(storage: Storage, url: str) -> None:
    await count_up(storage)
    engine = write_engine(url)
    async with engine.connect() as connection:
        found = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_a_server_that_is_away_is_said_to_be_and_is_no_reason_to_give_up() -> None:
    url = "postgresql+asyncpg://studii:secret@127.0.0.1:9/studii"
    away = Storage(write_engine(url), read_engine(url))
    with pytest.raises(DatabaseAway):
        async with away.read():
            pass
    with pytest.raises(DatabaseAway):
        async with away.write():
            pass
    with pytest.raises(DatabaseAway):  # the next one has its turn all the same
        async with away.write(patience=1.0):
            pass


async def test_an_error_of_the_one_who_writes_is_not_taken_for_a_database_that_is_away(
    storage: Storage,
) -> None:
    with pytest.raises(FileNotFoundError):
        async with storage.write():
            raise FileNotFoundError


@pytest.mark.parametrize("way", ["read", "write"])
async def test_who_is_in_a_transaction_ends_it_before_the_database_is_closed(url: str, way: str) -> None:
    """As a handler of an event may, whom nobody waits for when the bot leaves; no connection stays open."""
    await migrate(url)
    began = asyncio.Event()

    async def linger(storage: Storage) -> bytes | None:
        async with getattr(storage, way)() as transaction:
            began.set()
            await asyncio.sleep(0.05)
            return await transaction.meta.get("count")

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
