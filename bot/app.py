"""The composition root: the one place that builds everything, runs it, and closes it in order."""

import asyncio
import logging
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import discord

from bot.catalog import Catalog
from bot.client import StudiiBot, choose_intents, quiet_discord_loggers
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.delivery import CdnPhotoSource, DiscordDelivery
from bot.engine import Engine, PhotoSource, Spool
from bot.engine.loops import Bell, keep_doing
from bot.errors import StudiiBotError
from bot.health import HealthServer, Vitals
from bot.media import PhotoInspector
from bot.metrics import Metrics
from bot.services import (
    AccessService,
    CommandRegistry,
    CreditService,
    InsightService,
    JobService,
    KeyService,
    LimitService,
    LogService,
    PhotoService,
    PrivacyService,
    RulingService,
    ServerService,
    Services,
)
from bot.storage import LaneNames, Storage, Vault, instance_lock, migrate
from bot.studii import StudiiClient
from bot.watchdog import Watchdog

log = logging.getLogger(__name__)

MEGABYTE = 1_000_000


class PartDied(StudiiBotError):
    """The engine or the Discord client ended by itself: the process must not live on with the other alone."""


@dataclass(frozen=True, slots=True)
class App:
    """All parts, built and ready to run."""

    settings: Settings
    storage: Storage
    services: Services
    bot: StudiiBot
    engine: Engine
    metrics: Metrics


@asynccontextmanager
async def build(
    settings: Settings,
    *,
    intents: Callable[[], Awaitable[discord.Intents]],
    clock: Clock | None = None,
    photos: PhotoSource | None = None,
) -> AsyncGenerator[App]:
    """Build all parts, and close them in order afterwards.

    `intents` finds out what Discord lets the bot ask for, when all that can be checked without it is right;
    `photos` says where the bytes of a photo come from: Discord's CDN, unless something else is given.
    Raises `SettingsError` when a setting, the database or another instance is in the way.
    """
    clock = clock or SystemClock()
    catalog = Catalog.load(settings.studii_tools_file)
    url = settings.database_url
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(instance_lock(url))
        await migrate(url)
        storage = await stack.enter_async_context(Storage.open(url))
        keys = tuple(key.get_secret_value() for key in settings.encryption_keys)
        vault = Vault.open(keys, settings.folder / "encryption.key")
        lanes = await LaneNames.open(storage, vault)
        metrics = Metrics()
        studii = await stack.enter_async_context(StudiiClient(settings.studii_api_url, count=metrics.request))
        inspector = await stack.enter_async_context(PhotoInspector())
        if photos is None:
            photos = await stack.enter_async_context(CdnPhotoSource())
        bot = StudiiBot(catalog, intents=await intents(), dev_guild_id=settings.dev_guild_id)
        delivery = DiscordDelivery(bot, catalog, clock, inspector.fit)
        spool = Spool(settings.folder / "spool", settings.spool_mb * MEGABYTE)
        engine = Engine(
            storage=storage,
            studii=studii,
            vault=vault,
            delivery=delivery,
            photos=photos,
            inspector=inspector,
            spool=spool,
            catalog=catalog,
            clock=clock,
            posted=metrics.posted,
        )
        services = Services(
            jobs=JobService(
                storage,
                catalog,
                clock,
                engine.wake,
                max_source_bytes=settings.max_source_mb * MEGABYTE,
            ),
            keys=KeyService(storage, vault, lanes, clock, engine.wake, studii.check_key),
            credits=CreditService(storage, catalog, clock),
            commands=CommandRegistry(storage),
            servers=ServerService(storage, clock, engine.wake),
            privacy=PrivacyService(storage, clock, spool.remove, keep_days=settings.keep_prompts_days),
            access=AccessService(storage, catalog, clock),
            logs=LogService(storage, engine.wake),
            limits=LimitService(storage, clock),
            insight=InsightService(storage, clock),
            photos=PhotoService(storage, catalog, clock),
            rulings=RulingService(storage, clock, engine.wake),
        )
        bot.attach(services, delivery, clock)
        if settings.health_port is not None:
            vitals = Vitals(bot.gateway_connected, engine.oldest_due_poll, engine.occupancy)
            await stack.enter_async_context(
                HealthServer(
                    settings.health_address,
                    settings.health_port,
                    vitals=vitals,
                    storage=storage,
                    metrics=metrics,
                    clock=clock,
                )
            )
        yield App(settings, storage, services, bot, engine, metrics)


async def run(settings: Settings) -> None:
    """Run the bot until SIGINT or SIGTERM.

    Raises `SettingsError` when it cannot start, and `PartDied` when a part ended by itself.
    """
    quiet_discord_loggers()
    token = settings.discord_token.get_secret_value()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with build(settings, intents=lambda: choose_intents(token, settings.message_content)) as app:
        await _run_parts(app, token, stop)


async def _run_parts(app: App, token: str, stop: asyncio.Event) -> None:
    async with Watchdog(app.engine.stuck):
        await _watched(app, token, stop)


async def _watched(app: App, token: str, stop: asyncio.Event) -> None:
    engine = asyncio.create_task(app.engine.run(), name="engine")
    client = asyncio.create_task(app.bot.start(token), name="discord client")
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    tidying = keep_doing("erasing what is due", Bell(), app.services.privacy.sweep)
    upkeep = asyncio.create_task(tidying, name="upkeep")
    try:
        await asyncio.wait({engine, client, stopped}, return_when=asyncio.FIRST_COMPLETED)
        log.info("Stopping: requests that are on their way get their answers first.")
    finally:
        # What comes in first ends first: commands, then the engine, then the gateway.
        app.bot.refuse_commands()
        failures = [await _end(upkeep), await _end(engine)]
        await app.bot.close()
        failures += [await _end(client), await _end(stopped)]
    if not stop.is_set():
        first = next((failure for failure in failures if failure is not None), None)
        raise PartDied("The bot stopped by itself; the reason is in the log above.") from first


async def _end(task: asyncio.Task[object]) -> BaseException | None:
    """Cancel the task, wait for it, and log why it had ended if that was not our doing."""
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, Exception):
        log.error("The %s died.", task.get_name(), exc_info=outcome)
        return outcome
    return None
