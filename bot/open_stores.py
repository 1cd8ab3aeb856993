"""Open what keeps data: the database, the encryption key, the spool, and the journal of deferred answers."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bot.clock import Clock
from bot.cluster import Membership, WantedShards, membership
from bot.config import MEGABYTE, Settings
from bot.delivery import DeferralFiles, DeferralJournal
from bot.errors import SettingsError
from bot.media.spool import Spool
from bot.monitoring import ORIGIN, HealthServer, Metrics
from bot.storage import (
    DeferralTable,
    LaneNames,
    Storage,
    Vault,
    ensure_sound,
    instance_lock,
    migrate,
    sqlite_file,
    usable_database,
)

_OTHER_KEY = (
    "{where} doesn't open what the other processes on this database have stored. Give all of them the same "
    "ENCRYPTION_KEYS: on another host, the key file beside the database isn't there."
)


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of data, and the process's place among the others that share it."""

    member: Membership
    storage: Storage
    vault: Vault
    lanes: LaneNames
    spool: Spool
    deferrals: DeferralJournal
    health: HealthServer | None  # answers from before the process has its place


async def open_stores(
    settings: Settings,
    stack: AsyncExitStack,
    metrics: Metrics,
    clock: Clock,
    recommended: Callable[[], Awaitable[int]],
) -> Stores:
    """Open them, in the order in which what is wrong can be told. The stack closes them.

    Stands by until there are shards to serve. Raises `SettingsError` if a setting, the database or another
    instance prevents the start.
    """
    url = settings.database_url
    keys = tuple(key.reveal() for key in settings.encryption_keys)
    Vault.checked(keys, settings.keys_setting)  # before anything is created
    if sqlite_file(url) is not None:
        await stack.enter_async_context(instance_lock(url))
        await asyncio.to_thread(ensure_sound, url)
    await migrate(url)
    wanted = WantedShards(recommended, settings.shard_count, settings.shards_per_process)
    name = f"{socket.gethostname()}:{os.getpid()}"
    member = await stack.enter_async_context(membership(url, name, wanted, count=metrics.cluster))
    ORIGIN.set(lambda: None if member.epoch is None else (member.epoch, member.shards.held))
    storage = await stack.enter_async_context(Storage.open(url, fence=member, observe=metrics.database))
    vault = Vault.open(keys, settings.key_file, settings.keys_setting)
    health = await _health(settings, stack, storage, metrics, clock, member)
    with usable_database(url):
        if await member.others() and not await LaneNames.readable(storage, vault):
            raise SettingsError(_OTHER_KEY.format(where=settings.keys_setting))
        await member.stand_by()
        lanes = await LaneNames.open(storage, vault)
    spool = Spool(settings.spool_folder, settings.spool_mb * MEGABYTE)
    deferrals = await _deferrals(settings, stack, member, vault, clock)
    return Stores(member, storage, vault, lanes, spool, deferrals, health)


async def _deferrals(
    settings: Settings, stack: AsyncExitStack, member: Membership, vault: Vault, clock: Clock
) -> DeferralJournal:
    if sqlite_file(settings.database_url) is not None:
        return DeferralJournal(DeferralFiles(settings.deferrals_folder), vault, clock)
    table = DeferralTable.open(settings.database_url, member)
    return DeferralJournal(await stack.enter_async_context(table), vault, clock)


async def _health(
    settings: Settings,
    stack: AsyncExitStack,
    storage: Storage,
    metrics: Metrics,
    clock: Clock,
    member: Membership,
) -> HealthServer | None:
    """Return the health server, which serves from now on, or None where no port is set."""
    if settings.health_port is None:
        return None
    server = HealthServer(storage, metrics, clock, lambda: (len(member.shards.held), member.free_shards))
    return await stack.enter_async_context(server.listening(settings.health_address, settings.health_port))
