"""One instance of the bot for each database."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text

from bot.clock import SystemClock
from bot.errors import SettingsError
from bot.storage.engines import UNUSABLE, migration_engine, unusable
from bot.storage.files import private_file, sqlite_file
from bot.storage.session import finish, session

_POLL = 0.1  # seconds between two tries
_ADVISORY = text("SELECT pg_try_advisory_lock(21332, 1)")  # two numbers of our own, apart from servers' locks


@asynccontextmanager
async def instance_lock(url: str, *, patience: float = 30) -> AsyncGenerator[None, None]:
    """Be the only instance on this database, for as long as the block lasts; a killed one lets go at once.

    Waits up to `patience` seconds for an instance that is ending, then raises `SettingsError`.
    """
    path = sqlite_file(url)
    if path is None:
        async with _on_server(url, patience):
            yield
    else:
        async with _on_file(path.with_name(f"{path.name}.lock"), patience):
            yield


@asynccontextmanager
async def _on_file(path: Path, patience: float) -> AsyncGenerator[None, None]:
    await asyncio.to_thread(private_file, path)
    # Taken and given back in whichever thread is free, so it must not belong to one.
    lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)

    async def taken() -> bool:
        try:
            await finish(asyncio.to_thread(lock.acquire, timeout=0))
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise SettingsError(
                f"{path} can't be locked ({error}). Keep the database on a disk of this machine."
            ) from error
        return True

    clock = SystemClock()
    deadline = clock.monotonic() + patience
    try:
        while not await taken():
            await _again(clock, deadline, f"it holds {path}")
        yield
    finally:
        await finish(asyncio.to_thread(lock.release))


@asynccontextmanager
async def _on_server(url: str, patience: float) -> AsyncGenerator[None, None]:
    engine = migration_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    clock = SystemClock()
    deadline = clock.monotonic() + patience
    try:
        # The lock is the connection's: it stays open, and the server takes the lock back when it is gone.
        async with AsyncExitStack() as stack:
            try:
                current = await stack.enter_async_context(session(engine))
            except UNUSABLE as error:
                raise unusable(url, error) from error
            while not (await current.execute(_ADVISORY)).scalar_one():
                await _again(clock, deadline, "it holds the lock in the database")
            yield
    finally:
        await finish(engine.dispose())


async def _again(clock: SystemClock, deadline: float, how: str) -> None:
    left = deadline - clock.monotonic()
    if left <= 0:
        raise SettingsError(
            f"Another instance of the bot is running on this database ({how}). "
            "Stop it first, or give this one a DATABASE_URL of its own."
        )
    await asyncio.sleep(min(left, _POLL))
