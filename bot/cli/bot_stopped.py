"""Commands during which the bot must not run."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.cluster import Membership, WantedShards, membership
from bot.errors import SettingsError
from bot.migrate import migrate
from bot.sqlite_file import AnotherInstance, instance_lock, sqlite_file


@asynccontextmanager
async def bot_stopped(url: str, command: str, *, replaced: bool = False) -> AsyncGenerator[Membership]:
    """Keep the bot from starting during the block. Raises `SettingsError` if it runs.

    `replaced`: see `instance_lock`.
    """
    try:
        if sqlite_file(url) is None:
            async with _all_shards(url, command) as member:
                yield member
        else:
            async with instance_lock(url, patience=0, replaced=replaced):
                yield Membership()
    except AnotherInstance as error:
        raise SettingsError(
            "The bot is running on this database. Stop it first, then run this again. With compose: "
            f"`docker compose stop`, `docker compose run --rm studii {command}`, `docker compose up "
            "-d`."
        ) from error


@asynccontextmanager
async def _all_shards(url: str, command: str) -> AsyncGenerator[Membership]:
    """Hold all shards, as a bot would. Raises `AnotherInstance` if there is a process of the bot."""

    async def one() -> int:
        return 1

    await migrate(url)
    async with membership(url, command, WantedShards(one)) as member:
        if await member.others():
            raise AnotherInstance
        await member.stand_by()
        yield member
