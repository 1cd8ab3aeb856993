"""The lock in PostgreSQL: a connection that is cut does not leave two instances at work."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.errors import SettingsError
from bot.storage import instance_lock, locks
from tests.support.postgresql import new_database


@pytest.fixture
async def address(postgresql: str) -> str:
    return await new_database(postgresql)


@pytest.fixture(autouse=True)
def looking_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(locks, "PATIENCE", 0.2)


@asynccontextmanager
async def operator(url: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def holders(connection: AsyncConnection) -> list[int]:
    found = await connection.exec_driver_sql(
        "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return list(found.scalars())


async def cut(connection: AsyncConnection) -> int:
    (holder,) = await holders(connection)
    await connection.exec_driver_sql(f"SELECT pg_terminate_backend({holder})")
    return holder


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
            async with asyncio.timeout(10):
                await lock.lost()
