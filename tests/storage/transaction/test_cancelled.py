"""Tasks that are cancelled in a transaction leave the database whole, and keep nobody waiting."""

import asyncio
import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import await_only

from bot import meta
from bot.storage import Storage
from tests.storage.transaction.counting import count_up, counted


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
            left = int(await transaction.run(meta.get, "left") or b"0")
            right = int(await transaction.run(meta.get, "right") or b"0")
            await transaction.run(meta.set_to, "left", b"%d" % (left + 1))
            await transaction.run(meta.set_to, "right", b"%d" % (right - 1))
        committed += 1

    async def look() -> None:
        async with storage.read() as transaction:
            left = int(await transaction.run(meta.get, "left") or b"0")
            assert left == -int(await transaction.run(meta.get, "right") or b"0")

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
        assert int(await transaction.run(meta.get, "left") or b"0") >= committed >= 25


async def test_a_commit_is_finished_though_its_task_is_cancelled(storage: Storage) -> None:
    committing, go_on = asyncio.Event(), threading.Event()

    def slowly(_connection: Connection) -> None:
        committing.set()
        await_only(asyncio.to_thread(go_on.wait))  # as where a disk is slow

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


async def test_a_statement_that_is_cancelled_ends_and_nothing_after_it_is_done(storage: Storage) -> None:
    async def write_three() -> None:
        async with storage.write() as transaction:
            await transaction.run(meta.set_to, "count", b"1")
            tasks[0].cancel()
            await transaction.run(meta.set_to, "count", b"2")
            went_on.append(True)

    went_on: list[bool] = []
    tasks = [asyncio.create_task(write_three())]
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    assert not went_on
    assert await counted(storage) == 0
    await count_up(storage)
    assert await counted(storage) == 1
