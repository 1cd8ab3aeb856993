"""One instance of the bot for each SQLite file."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from bot.aio.shield import shielded
from bot.clock import SystemClock
from bot.errors import SettingsError, Unavailable
from bot.storage.database.file_checks import ensure_ours
from bot.storage.database.location import lock_of, private_file, sqlite_file

_log = logging.getLogger(__name__)

HANDOVER_SECONDS = 30.0  # to wait for an instance that is ending
_POLL = 0.1  # seconds between two tries


class AnotherInstance(Unavailable):
    """The bot runs on this database."""


@asynccontextmanager
async def instance_lock(
    url: str, *, patience: float = HANDOVER_SECONDS, replaced: bool = False
) -> AsyncGenerator[None, None]:
    """Be the only instance on this SQLite file, for as long as the block lasts; a killed one lets go at once.

    On PostgreSQL, several processes share a database, each with its lease. Waits up to `patience` seconds for
    an instance that is ending, then raises `SettingsError`; also if the file is another program's, or damaged
    and not to be `replaced`.
    """
    path = sqlite_file(url)
    if path is None:
        yield
        return
    await asyncio.to_thread(ensure_ours, url, replaced=replaced)
    async with _on_file(lock_of(path), patience):
        yield


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


async def _patiently(take: Callable[[], Awaitable[bool]], patience: float, how: str) -> None:
    """Try until it is taken. Raises `AnotherInstance` when another one keeps it."""
    clock = SystemClock()  # another process's time: real, also where a test simulates time
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
            waits = (  # Untranslated: it is logged
                "Another instance of the bot is running on this database (%s). Waiting %.0f s for it to stop."
            )
            _log.warning(waits, how, left)
            said = True
        await asyncio.sleep(min(left, _POLL))
