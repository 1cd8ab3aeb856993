"""Commands during which the bot must not run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.errors import SettingsError
from bot.storage import AnotherInstance, InstanceLock, instance_lock


@asynccontextmanager
async def bot_stopped(url: str, command: str, *, replaced: bool = False) -> AsyncGenerator[InstanceLock]:
    """Keep the bot from starting during the block. Raises `SettingsError` if it runs.

    `replaced`: see `instance_lock`.
    """
    try:
        async with instance_lock(url, patience=0, replaced=replaced) as lock:
            yield lock
    except AnotherInstance as error:
        raise SettingsError(
            "The bot is running on this database. Stop it first, then run this again. With compose: "
            f"`docker compose stop`, `docker compose run --rm studii {command}`, `docker compose up "
            "-d`."
        ) from error
