"""What is told of a database that is busy, full or away, and what is not its failure."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot import meta
from bot.db import Database, begin
from bot.errors import Busy, DatabaseAway, DatabaseFailed
from bot.storage import Storage
from tests.storage.transaction.counting import count_up, counted
from tests.support.clock import FakeClock
from tests.support.postgresql import new_migrated_database


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


async def test_a_write_that_a_hanging_server_lets_begin_too_late_is_not_done(
    migrated_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()

    def hangs(*given: Any) -> None:
        begin(*given)
        clock.advance(100.0)

    monkeypatch.setattr("bot.db._CLOCK", clock)
    async with Storage.open(await new_migrated_database(migrated_postgresql)) as storage:
        with monkeypatch.context() as patch:
            patch.setattr("bot.db.begin", hangs)
            with pytest.raises(Busy):
                await count_up(storage)
            with pytest.raises(Busy):
                await storage.db.write(lambda _: pytest.fail("too late"))
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


@pytest.mark.usefixtures("file")
async def test_a_full_disk_is_a_failure_of_the_database_and_told_as_that(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    await count_up(storage)
    full = text("PRAGMA max_page_count=1")  # no more than there are
    await storage.db.write(lambda session: session.execute(full))
    with pytest.raises(DatabaseFailed, match="can't use its database right now"):
        async with storage.write() as transaction:
            await transaction.run(meta.set_to, "large", bytes(1_000_000))
    said = "The database can't be written (database or disk is full). The bot will keep trying."
    assert said in caplog.text
    assert await counted(storage) == 1


async def test_an_error_of_what_was_asked_is_no_failure_of_the_database(
    storage: Storage, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(IntegrityError):
        async with storage.write() as transaction:
            await transaction.run(meta.set_to, "count", cast("bytes", None))
    assert caplog.records == []


async def test_a_server_that_is_away_is_said_to_be_and_is_no_reason_to_give_up() -> None:
    url = "postgresql+asyncpg://studii:secret@127.0.0.1:9/studii"
    away = Storage()
    away.db = Database(url)
    with pytest.raises(DatabaseAway):
        async with away.read():
            pass
    with pytest.raises(DatabaseAway):
        async with away.write():
            pass
    with pytest.raises(DatabaseAway):  # the next one has its turn all the same
        async with away.write(patience=1.0):
            pass
    await away.db.close()


async def test_an_error_of_the_one_who_writes_is_not_taken_for_a_database_that_is_away(
    storage: Storage,
) -> None:
    with pytest.raises(FileNotFoundError):
        async with storage.write():
            raise FileNotFoundError
