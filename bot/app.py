"""The composition root, which builds all parts and closes them in order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial

import discord
from aiohttp import TCPConnector

from bot.aio.proxy import connector
from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.client.observer import DiscordObserver
from bot.clock import Clock, SystemClock
from bot.config import MEGABYTE, Settings
from bot.delivery import CdnPhotoSource, DeferralJournal, DiscordDelivery
from bot.engine import Engine, GuardedDecoder, PhotoSource, Spool, Tuning
from bot.errors import Refused
from bot.media.pool import DecoderPool
from bot.monitoring.metrics import Metrics
from bot.services import Services, build_services
from bot.storage import (
    UNUSABLE,
    InstanceLock,
    LaneNames,
    Storage,
    Vault,
    ensure_sound,
    instance_lock,
    migrate,
    unusable,
)
from bot.studii import KeyRefused, StudiiClient
from bot.ui.reading.photo_lookup import found_again

FIND_SECONDS = 20.0  # to ask Discord for a photo's fresh URL


@dataclass(frozen=True, slots=True)
class App:
    """All parts, built and ready to run."""

    settings: Settings
    storage: Storage
    services: Services
    bot: StudiiBot
    engine: Engine
    metrics: Metrics
    lock: InstanceLock


@dataclass(frozen=True, slots=True)
class _Kept:
    """The parts that hold stored data."""

    lock: InstanceLock
    storage: Storage
    vault: Vault
    lanes: LaneNames
    spool: Spool


# Long: every part is named once, in the order in which it is built.
@asynccontextmanager
async def build(
    settings: Settings,
    *,
    intents: Callable[[], Awaitable[discord.Intents]],
    clock: Clock | None = None,
    photos: PhotoSource | None = None,
    connect: Callable[..., TCPConnector] | None = None,
) -> AsyncGenerator[App]:
    """Build all parts, and close them in order at the end.

    `intents` asks Discord which intents are allowed, after everything else was checked. `photos` is where
    photos are fetched, by default Discord's CDN. `connect` creates the connectors of HTTP sessions, by
    default through the proxy of the settings. Raises `SettingsError` if a setting, the database or
    another instance prevents the start.
    """
    clock = clock or SystemClock()
    catalog = Catalog.load(settings.studii_tools_file)
    async with AsyncExitStack() as stack:
        metrics = Metrics()
        kept = await _open(settings, stack, metrics)
        connect = connect or partial(connector, settings.proxy)
        studii = await stack.enter_async_context(
            StudiiClient(settings.studii_api_url, count=metrics.request, connect=connect)
        )
        pool = await stack.enter_async_context(DecoderPool(died=metrics.decoder_died))
        decoder = GuardedDecoder(kept.storage, pool, clock)
        bot = _bot(settings, catalog, await intents(), connect(limit=0), metrics, clock)
        if photos is None:
            find = partial(found_again, bot, patience=FIND_SECONDS)
            photos = await stack.enter_async_context(CdnPhotoSource(connect, find))
        delivery = DiscordDelivery(bot, catalog, clock, decoder.fit)
        engine = Engine(
            storage=kept.storage,
            studii=studii,
            vault=kept.vault,
            delivery=delivery,
            photos=photos,
            decoder=decoder,
            spool=kept.spool,
            catalog=catalog,
            clock=clock,
            tuning=Tuning(max_source_bytes=settings.max_source_mb * MEGABYTE),
            posted=metrics.posted,
        )
        services = build_services(
            kept.storage,
            kept.vault,
            kept.lanes,
            catalog,
            clock,
            wake=engine.wake,
            check_key=partial(_check, studii),
            discard=kept.spool.remove,
            max_source_bytes=settings.max_source_mb * MEGABYTE,
            keep_days=settings.keep_prompts_days,
        )
        bot.attach(services, delivery, clock, DeferralJournal(settings.deferrals_folder, kept.vault, clock))
        app = App(settings, kept.storage, services, bot, engine, metrics, kept.lock)
        async with _health(app, kept.spool, clock):
            yield app


async def _open(settings: Settings, stack: AsyncExitStack, metrics: Metrics) -> _Kept:
    url = settings.database_url
    keys = tuple(key.get_secret_value() for key in settings.encryption_keys)
    Vault.checked(keys, settings.keys_setting)  # before anything is created
    lock = await stack.enter_async_context(instance_lock(url))
    await asyncio.to_thread(ensure_sound, url)
    await migrate(url)
    storage = await stack.enter_async_context(Storage.open(url, lock=lock, observe=metrics.database))
    vault = Vault.open(keys, settings.key_file, settings.keys_setting)
    spool = Spool(settings.spool_folder, settings.spool_mb * MEGABYTE)
    try:
        lanes = await LaneNames.open(storage, vault)
    except UNUSABLE as error:
        raise unusable(url, error) from error
    return _Kept(lock, storage, vault, lanes, spool)


def _bot(
    settings: Settings,
    catalog: Catalog,
    intents: discord.Intents,
    connector: TCPConnector,
    metrics: Metrics,
    clock: Clock,
) -> StudiiBot:
    return StudiiBot(
        catalog,
        intents=intents,
        dev_guild_id=settings.dev_guild_id,
        connector=connector,
        observer=DiscordObserver(metrics.discord, clock),
    )


async def _check(studii: StudiiClient, key: str) -> None:
    try:
        await studii.check_key(key)
    except KeyRefused:
        # Studii's words speak of the server's key; this one is not that yet.
        raise Refused(
            "Studii doesn't accept this API key. Check that you copied all of it and that it hasn't "
            "been revoked. Nothing was changed."
        ) from None


def _health(app: App, spool: Spool, clock: Clock) -> AbstractAsyncContextManager[object]:
    """Return the health server, or nothing where no port is set."""
    engine, port = app.engine, app.settings.health_port
    if port is None:
        return nullcontext()
    # Imported here: a bot without a port has no use for an HTTP server.
    from bot.monitoring.health import HealthServer, Vitals

    vitals = Vitals(
        engine.alive,
        app.bot.gateway_connected,
        engine.oldest_due_poll,
        engine.occupancy,
        lambda: (spool.used, spool.max_bytes),
    )
    return HealthServer(
        app.settings.health_address,
        port,
        vitals=vitals,
        storage=app.storage,
        metrics=app.metrics,
        clock=clock,
    )
