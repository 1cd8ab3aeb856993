"""One instance of the bot for each database."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.clock import SystemClock
from bot.errors import SettingsError
from bot.storage.engines import migration_engine
from bot.storage.files import private_file, sqlite_file
from bot.storage.session import Session, finish, session
from bot.storage.trouble import UNUSABLE, unusable

log = logging.getLogger(__name__)

LOOK_EVERY = 10.0  # seconds between two looks at whether the connection that holds the lock still stands
PATIENCE = 30.0  # seconds
_POLL = 0.1  # seconds between two tries
_ADVISORY = text("SELECT pg_try_advisory_lock(21332, 1)")  # two numbers of our own, apart from servers' locks
_ALIVE = text("SELECT 1")


class AnotherInstance(SettingsError):
    """The bot runs on this database."""


class InstanceLock:
    """What is held while the block of `instance_lock` lasts."""

    async def lost(self) -> None:
        """Return when another instance has the lock all the same; a file's is never lost."""
        await asyncio.Event().wait()


class _ServersLock(InstanceLock):
    """The lock is the connection's: it stays open, and the server takes the lock back when it is gone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._open = AsyncExitStack()
        self._session: Session | None = None

    async def connect(self) -> Session:
        """Raises one of `UNUSABLE`."""
        await self.close()
        self._session = await self._open.enter_async_context(session(self._engine))
        return self._session

    async def close(self) -> None:
        self._session = None
        with suppress(*UNUSABLE):
            await self._open.aclose()

    async def lost(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if self._session is not None:
                    await self._session.execute(_ALIVE)
                    continue
                await self._take_again()
            except UNUSABLE as error:
                log.warning("The database that holds the bot's lock is away: %s", type(error).__name__)
                await self.close()
            except SettingsError:
                log.exception("The lock in the database was lost while it was away.")
                return

    async def _take_again(self) -> None:
        await _taken(await self.connect(), PATIENCE)
        log.warning("The database is back, and the bot's lock in it was taken anew.")


@asynccontextmanager
async def instance_lock(url: str, *, patience: float = PATIENCE) -> AsyncGenerator[InstanceLock, None]:
    """Be the only instance on this database, for as long as the block lasts; a killed one lets go at once.

    Waits up to `patience` seconds for an instance that is ending, then raises `SettingsError`.
    """
    path = sqlite_file(url)
    if path is None:
        async with _on_server(url, patience) as lock:
            yield lock
    else:
        async with _on_file(path.with_name(f"{path.name}.lock"), patience):
            yield InstanceLock()


@asynccontextmanager
async def _on_file(path: Path, patience: float) -> AsyncGenerator[None, None]:
    await asyncio.to_thread(private_file, path)
    # Taken and given back in whichever thread is free, so it must not belong to one.
    lock = FileLock(path, mode=0o600, thread_local=False, fallback_to_soft=False)

    async def locked() -> bool:
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
        while not await locked():
            await _again(clock, deadline, f"it holds {path}")
        yield
    finally:
        await finish(asyncio.to_thread(lock.release))


@asynccontextmanager
async def _on_server(url: str, patience: float) -> AsyncGenerator[InstanceLock, None]:
    engine = migration_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    lock = _ServersLock(engine)
    try:
        try:
            current = await lock.connect()
        except UNUSABLE as error:
            raise unusable(url, error) from error
        await _taken(current, patience)
        yield lock
    finally:
        await lock.close()
        await finish(engine.dispose())


async def _taken(current: Session, patience: float) -> None:
    """Take the server's lock for this connection. Raises `SettingsError` when another one keeps it."""
    clock = SystemClock()
    deadline = clock.monotonic() + patience
    while not (await current.execute(_ADVISORY)).scalar_one():
        await _again(clock, deadline, "it holds the lock in the database")


async def _again(clock: SystemClock, deadline: float, how: str) -> None:
    left = deadline - clock.monotonic()
    if left <= 0:
        raise AnotherInstance(
            f"Another instance of the bot is running on this database ({how}). "
            "Stop it first, or give this one a DATABASE_URL of its own."
        )
    await asyncio.sleep(min(left, _POLL))
