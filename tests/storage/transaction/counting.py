"""A count in the database that each writer raises by one."""

import asyncio

from bot import meta
from bot.db import COMMAND_WRITE_TIMEOUT
from bot.storage import Storage


async def count_up(storage: Storage, patience: float = COMMAND_WRITE_TIMEOUT) -> None:
    async with storage.write(patience=patience) as transaction:
        counted = int(await transaction.run(meta.get, "count") or b"0")
        await asyncio.sleep(0)
        await transaction.run(meta.set_to, "count", b"%d" % (counted + 1))


async def counted(storage: Storage) -> int:
    async with storage.read() as transaction:
        return int(await transaction.run(meta.get, "count") or b"0")
