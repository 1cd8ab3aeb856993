"""The lock in PostgreSQL: a connection that is cut does not leave two instances at work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.errors import NotAlone, SettingsError
from bot.storage import AnotherInstance, Storage, instance_lock, migrate
from bot.storage.database import locks
from tests.support.patience import PATIENCE
from tests.support.postgresql import new_database, server


@pytest.fixture
async def address(postgresql: str) -> str:
    return await new_database(postgresql)


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOOK_EVERY", 0.05)


@asynccontextmanager
async def operator(url: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def holders(connection: AsyncConnection) -> list[int]:
    """The server's numbers of the connections that hold the instance's lock."""
    found = await connection.exec_driver_sql(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 1 AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return list(found.scalars())


async def cut(connection: AsyncConnection) -> int:
    (holder,) = await holders(connection)
    await connection.exec_driver_sql(f"SELECT pg_terminate_backend({holder})")
    return holder


async def write(storage: Storage) -> None:
    async with storage.write() as transaction:
        await transaction.meta.set("written", b"")


async def test_a_lock_whose_connection_was_cut_is_taken_anew(address: str) -> None:
    async with operator(address) as connection, instance_lock(address, patience=0) as lock:
        watching = asyncio.create_task(lock.lost())
        before = await cut(connection)
        for _ in range(500):
            if set(await holders(connection)) - {before}:
                break
            await asyncio.sleep(0.02)
        assert not watching.done()
        with pytest.raises(SettingsError, match="Another instance"):
            await instance_lock(address, patience=0).__aenter__()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_an_instance_whose_lock_another_one_has_taken_meanwhile_is_told(address: str) -> None:
    async with operator(address) as connection, instance_lock(address, patience=0) as lock:
        await cut(connection)
        async with instance_lock(address, patience=5):
            async with asyncio.timeout(PATIENCE):
                await lock.lost()


async def test_no_other_instance_begins_while_one_that_lost_its_lock_can_still_write(address: str) -> None:
    async with operator(address) as connection, instance_lock(address, patience=0) as lock:
        await migrate(address)
        async with Storage.open(address, lock=lock) as storage:
            await cut(connection)
            with pytest.raises(AnotherInstance):
                await instance_lock(address, patience=0).__aenter__()
            await write(storage)
        async with instance_lock(address, patience=5):
            pass


async def test_nothing_is_written_over_a_new_connection_until_the_lock_is_taken_anew() -> None:
    with server() as postgresql:
        async with instance_lock(postgresql.url) as lock:
            await migrate(postgresql.url)
            async with Storage.open(postgresql.url, lock=lock) as storage:
                await asyncio.to_thread(postgresql.stop)
                await asyncio.to_thread(postgresql.start)
                with pytest.raises(NotAlone):
                    await write(storage)
                watching = asyncio.create_task(lock.lost())
                async with asyncio.timeout(PATIENCE):
                    while True:
                        try:
                            await write(storage)
                        except NotAlone:
                            await asyncio.sleep(0.05)
                        else:
                            break
                assert not watching.done()
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)


async def test_an_instance_that_waits_goes_on_waiting_while_the_server_is_started_anew() -> None:
    with server() as postgresql:
        came = asyncio.Event()

        async def second() -> None:
            async with instance_lock(postgresql.url, patience=20):
                came.set()

        async with instance_lock(postgresql.url):
            waiting = asyncio.create_task(second())
            await asyncio.sleep(0.3)
            await asyncio.to_thread(postgresql.stop)
            await asyncio.sleep(0.3)
            assert not waiting.done()
            await asyncio.to_thread(postgresql.start)
        await waiting
        assert came.is_set()
