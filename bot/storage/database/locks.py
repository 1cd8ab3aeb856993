"""One instance of the bot for each database."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Executable, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.aio.shield import shielded
from bot.clock import SystemClock
from bot.errors import NotAlone, SettingsError
from bot.storage.database.engines import lock_engine
from bot.storage.database.errors import UNUSABLE, unusable
from bot.storage.database.file_checks import ensure_ours
from bot.storage.database.location import private_file, sqlite_file
from bot.storage.database.session import Session, session

_log = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two checks of the connection that holds the lock
HANDOVER_SECONDS = 30.0  # to wait for an instance that is ending
_POLL = 0.1  # seconds between two tries

# On PostgreSQL there are two locks, numbered apart from servers' own. A connection of its own holds the first
# for life. Each connection that writes takes the second, which it can only while the first is the instance's:
# so no two instances ever write in turns, whichever of their connections are cut.
_TAKE = text("SELECT pg_try_advisory_lock(21332, 1)")
_NO_WRITER = text(
    "SELECT CASE WHEN pg_try_advisory_lock(21332, 2) THEN pg_advisory_unlock(21332, 2) ELSE false END"
)
_CLAIM = text(
    "SELECT pg_try_advisory_lock(21332, 2) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND classid = 21332 AND objid = 1 AND objsubid = 2"
    " AND database = datid AND datname = current_database() AND pid = :pid AND backend_start = :since"
)
# A server that is started anew gives the same numbers to other connections.
_WHO = text("SELECT pid, backend_start AS since FROM pg_stat_activity WHERE pid = pg_backend_pid()")
# If this host vanishes, the server releases the locks of its connections within half a minute.
_NOTICE_A_DEAD_HOST = text(
    "SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '5', false),"
    " set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '20000', false)"
)


class AnotherInstance(SettingsError):
    """The bot runs on this database."""


class InstanceLock:
    """The lock that `instance_lock` holds during its block. A file's lock is never lost."""

    async def lost(self) -> None:
        """Return when it could not be kept: this instance must end."""
        await asyncio.Event().wait()

    async def claim(self, connection: Session) -> None:
        """Make the connection one that may write, for as long as it stands.

        Raises `NotAlone` while the lock is lost, or another instance's connection still writes.
        """


class _ServersLock(InstanceLock):
    """The lock is the connection's: it stays open, and the server takes the lock back when it is gone."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._open = AsyncExitStack()
        self._session: Session | None = None
        self._holder: dict[str, Any] | None = None  # by what the server knows the connection with the lock

    async def lost(self) -> None:
        away = False
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if not await self._keep():
                    _log.error("Another instance has taken the bot's lock in the database. This one stops.")
                    return
            except UNUSABLE as error:
                await self.close()
                if not away:
                    _log.warning(
                        "The database with the bot's lock can't be reached (%s). Nothing is accepted or "
                        "submitted until it is back.",
                        type(error).__name__,
                    )
                away = True
            else:
                if away:
                    _log.warning("The database is back, and this bot has its lock again.")
                away = False

    async def claim(self, connection: Session) -> None:
        if self._holder is None:
            raise NotAlone
        claimed = await connection.execute(_CLAIM.bindparams(**self._holder))
        if not claimed.scalar_one_or_none():
            raise NotAlone
        await connection.execute(_NOTICE_A_DEAD_HOST)

    async def take(self) -> bool:
        """Take the lock if no other instance has it or still writes. Raises one of `UNUSABLE`."""
        if not await self._take(await self._connected()):
            return False
        return await _answer(await self._connected(), _NO_WRITER)

    async def close(self) -> None:
        """Give the lock back, if it is held."""
        self._session = self._holder = None
        with suppress(*UNUSABLE):
            await self._open.aclose()

    async def _keep(self) -> bool:
        """Check the connection. If it is broken, take the lock again immediately or report it as lost."""
        if self._session is not None:
            await self._session.execute(text("SELECT 1"))
            return True
        return await self._take(await self._connected())

    async def _take(self, current: Session) -> bool:
        if self._holder is None and await _answer(current, _TAKE):
            await current.execute(_NOTICE_A_DEAD_HOST)
            self._holder = dict((await current.execute(_WHO)).mappings().one())
        return self._holder is not None

    async def _connected(self) -> Session:
        if self._session is None:
            self._session = await self._open.enter_async_context(session(self._engine))
        return self._session


@asynccontextmanager
async def instance_lock(
    url: str, *, patience: float = HANDOVER_SECONDS, replaced: bool = False
) -> AsyncGenerator[InstanceLock, None]:
    """Be the only instance on this database, for as long as the block lasts; a killed one lets go at once.

    Waits up to `patience` seconds for an instance that is ending, then raises `SettingsError`; also if the
    file is another program's, unless it is to be `replaced`.
    """
    path = sqlite_file(url)
    if not replaced:
        await asyncio.to_thread(ensure_ours, url)
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

    async def take() -> bool:
        try:
            await shielded(asyncio.to_thread(lock.acquire, timeout=0))
        except Timeout:
            return False
        except (OSError, NotImplementedError) as error:
            raise SettingsError(
                f"{path} can't be locked ({error}). Keep the database on a disk of this machine."
            ) from error
        return True

    try:
        await _patiently(take, patience, f"it holds {path}")
        yield
    finally:
        await shielded(asyncio.to_thread(lock.release))


@asynccontextmanager
async def _on_server(url: str, patience: float) -> AsyncGenerator[InstanceLock, None]:
    engine = lock_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    lock = _ServersLock(engine)
    met = False

    async def take() -> bool:
        nonlocal met
        try:
            taken = await lock.take()
        except UNUSABLE as error:
            if not met:
                raise unusable(url, error) from error
            await lock.close()  # a server that is started anew while we wait
            return False
        met = True
        return taken

    try:
        await _patiently(take, patience, "it holds the lock in the database")
        yield lock
    finally:
        await lock.close()
        await shielded(engine.dispose())


async def _patiently(take: Callable[[], Awaitable[bool]], patience: float, how: str) -> None:
    """Try until it is taken. Raises `AnotherInstance` when another one keeps it."""
    clock = SystemClock()
    deadline = clock.monotonic() + patience
    said = False
    while not await take():
        left = deadline - clock.monotonic()
        if left <= 0:
            raise AnotherInstance(
                f"Another instance of the bot is running on this database ({how}). "
                "Stop it first, or give this one a DATABASE_URL of its own."
            )
        if not said:
            waits = (
                "Another instance of the bot is running on this database (%s). Waiting %.0f s for it to stop."
            )
            _log.warning(waits, how, left)
            said = True
        await asyncio.sleep(min(left, _POLL))


async def _answer(current: Session, question: Executable) -> bool:
    return bool((await current.execute(question)).scalar_one())
