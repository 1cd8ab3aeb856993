"""The composition root, which builds all parts and closes them in order."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import discord
from aiohttp import TCPConnector

from bot.aio.proxy import connector
from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.client.observer import DiscordObserver
from bot.clock import Clock, SystemClock
from bot.cluster import Membership, WantedShards, discord_gate, membership, studii_gate
from bot.config import MEGABYTE, Settings
from bot.delivery import BestPoster, CdnPhotoSource, DeferralFiles, DeferralJournal, DiscordDelivery
from bot.engine import Engine, GuardedDecoder, PhotoSource, Spool, Tuning
from bot.errors import Refused, SettingsError, StudiiBotError, TakeOverFailed
from bot.languages import Language, lazy, load_all
from bot.languages.formats import locale_of
from bot.media.pool import DecoderPool
from bot.monitoring.logging import Origin, logging_origin
from bot.monitoring.metrics import Metrics, Vitals
from bot.services import Services, build_services
from bot.storage import (
    UNUSABLE,
    DeferralTable,
    LaneNames,
    Storage,
    Vault,
    ensure_sound,
    instance_lock,
    migrate,
    sqlite_file,
    unusable,
)
from bot.studii import KeyRefused, StudiiClient
from bot.ui.jobs.wording import ToolNames
from bot.ui.reading.photo_lookup import found_again

if TYPE_CHECKING:
    from bot.monitoring.health import HealthServer

_OTHER_KEY = (
    "{where} doesn't open what the other processes on this database have stored. Give all of them the same "
    "ENCRYPTION_KEYS: on another host, the key file beside the database isn't there."
)
FIND_SECONDS = 20.0  # to ask Discord for a photo's fresh URL


class DiscordFiles(PhotoSource, Protocol):
    """Where photos and other files of Discord's come from."""

    async def read(self, url: str, limit: int) -> bytes:
        """Return the file. Raises `PhotoUnavailable`, or `PhotoDelayed` if it is for the moment alone."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """All parts, built and ready to run."""

    settings: Settings
    storage: Storage
    services: Services
    bot: StudiiBot
    engine: Engine
    metrics: Metrics
    member: Membership


@dataclass(frozen=True, slots=True)
class _Kept:
    """The parts that hold stored data."""

    member: Membership
    storage: Storage
    vault: Vault
    lanes: LaneNames
    spool: Spool
    health: "HealthServer | None"


# Long: every part is named once, in the order in which it is built.
@asynccontextmanager
async def build(
    settings: Settings,
    *,
    intents: Callable[[], Awaitable[discord.Intents]],
    recommended: Callable[[], Awaitable[int]] | None = None,
    clock: Clock | None = None,
    photos: DiscordFiles | None = None,
    connect: Callable[..., TCPConnector] | None = None,
    metrics: Metrics | None = None,
) -> AsyncGenerator[App]:
    """Build all parts, and close them in order at the end.

    `intents` asks Discord which intents are allowed, after everything else was checked, and `recommended` how
    many shards it recommends (by default one). On PostgreSQL, this stands by until there are shards to serve.
    `photos` is where photos are fetched, by default Discord's CDN. `connect` creates the connectors of HTTP
    sessions, by default through the proxy of the settings. `metrics` go on counting where this is called
    again. Raises `SettingsError` if a setting, the database or another instance prevents the start, and
    `TakeOverFailed` if Discord does after this process has stood by.
    """
    clock, catalog = clock or SystemClock(), Catalog.load(settings.studii_tools_file)
    locale_of(Language.ENGLISH)  # first: what follows takes the room that Babel's tables give back
    load_all()
    async with AsyncExitStack() as stack:
        metrics = metrics or Metrics()
        kept = await _open(settings, stack, metrics, recommended or _one)
        member = kept.member
        connect = connect or partial(connector, settings.proxy)
        to_studii = partial(connect, gate=studii_gate(member))
        studii = StudiiClient(settings.studii_api_url, count=metrics.request, connect=to_studii)
        studii = await stack.enter_async_context(studii)
        pool = DecoderPool(max_photo_bytes=settings.max_source_mb * MEGABYTE, died=metrics.decoder_died)
        pool = await stack.enter_async_context(pool)
        decoder = GuardedDecoder(kept.storage, pool, clock)
        to_discord = connect(limit=0, gate=discord_gate(member))
        bot = _bot(settings, catalog, await _intents(member, intents), to_discord, metrics, clock, member)
        if photos is None:
            find = partial(found_again, bot, patience=FIND_SECONDS)
            photos = await stack.enter_async_context(CdnPhotoSource(connect, find))
        delivery = DiscordDelivery(bot, catalog, clock, decoder.fit, bot.posting_rules, decoder, bot.readers)
        engine = Engine(
            storage=kept.storage,
            member=member,
            studii=studii,
            vault=kept.vault,
            delivery=delivery,
            showcase=BestPoster(bot, ToolNames(catalog), clock, photos.read, bot.readers),
            photos=photos,
            decoder=decoder,
            spool=kept.spool,
            catalog=catalog,
            clock=clock,
            tuning=Tuning(max_source_bytes=settings.max_source_mb * MEGABYTE),
            posted=metrics.posted,
        )
        services = _services(kept, settings, catalog, clock, partial(_check, studii))
        bot.attach(services, delivery, clock, await _deferrals(settings, stack, kept, clock))
        app = App(settings, kept.storage, services, bot, engine, metrics, member)
        if kept.health is not None:
            kept.health.serves(_vitals(app, kept.spool))
        yield app


async def _one() -> int:
    return 1


async def _intents(member: Membership, ask: Callable[[], Awaitable[discord.Intents]]) -> discord.Intents:
    try:
        return await ask()
    except SettingsError:
        raise
    except StudiiBotError as error:
        if member.stood_by:
            raise TakeOverFailed(str(error)) from error
        raise


async def _open(
    settings: Settings, stack: AsyncExitStack, metrics: Metrics, recommended: Callable[[], Awaitable[int]]
) -> _Kept:
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
    stack.enter_context(logging_origin(partial(_origin, member)))
    storage = await stack.enter_async_context(Storage.open(url, fence=member, observe=metrics.database))
    vault = Vault.open(keys, settings.key_file, settings.keys_setting)
    health = await _health(settings, stack, storage, metrics, member)
    try:
        if await member.others() and not await LaneNames.readable(storage, vault):
            raise SettingsError(_OTHER_KEY.format(where=settings.keys_setting))
        await member.stand_by()
        lanes = await LaneNames.open(storage, vault)
    except UNUSABLE as error:
        raise unusable(url, error) from error
    spool = Spool(settings.spool_folder, settings.spool_mb * MEGABYTE)
    return _Kept(member, storage, vault, lanes, spool, health)


async def _deferrals(settings: Settings, stack: AsyncExitStack, kept: _Kept, clock: Clock) -> DeferralJournal:
    if sqlite_file(settings.database_url) is not None:
        return DeferralJournal(DeferralFiles(settings.deferrals_folder), kept.vault, clock)
    table = DeferralTable.open(settings.database_url, kept.member)
    return DeferralJournal(await stack.enter_async_context(table), kept.vault, clock)


def _origin(member: Membership) -> Origin | None:
    return None if member.epoch is None else Origin(member.epoch, member.shards.held)


def _services(
    kept: _Kept, settings: Settings, catalog: Catalog, clock: Clock, check: Callable[[str], Awaitable[None]]
) -> Services:
    return build_services(
        kept.storage,
        kept.vault,
        kept.lanes,
        catalog,
        clock,
        check_key=check,
        discard=kept.spool.remove,
        open_file=kept.spool.open_output,
        max_source_bytes=settings.max_source_mb * MEGABYTE,
        keep_days=settings.keep_prompts_days,
    )


def _bot(
    settings: Settings,
    catalog: Catalog,
    intents: discord.Intents,
    connector: TCPConnector,
    metrics: Metrics,
    clock: Clock,
    member: Membership,
) -> StudiiBot:
    return StudiiBot(
        catalog,
        intents=intents,
        dev_guild_id=settings.dev_guild_id,
        connector=connector,
        observer=DiscordObserver(metrics.discord, clock),
        member=member,
    )


async def _check(studii: StudiiClient, key: str) -> None:
    try:
        await studii.check_key(key)
    except KeyRefused:
        # Studii's words speak of the server's key; this one is not that yet.
        raise Refused(
            lazy(
                "Studii doesn't accept this API key. Check that you copied all of it and that it hasn't been "
                "revoked. Nothing was changed."
            )
        ) from None


async def _health(
    settings: Settings, stack: AsyncExitStack, storage: Storage, metrics: Metrics, member: Membership
) -> "HealthServer | None":
    """Return the health server, which serves from now on, or None where no port is set."""
    if settings.health_port is None:
        return None
    # Imported here: a bot without a port has no use for an HTTP server.
    from bot.monitoring.health import HealthServer

    server = HealthServer(
        settings.health_address,
        settings.health_port,
        storage=storage,
        metrics=metrics,
        clock=SystemClock(),
        shards=lambda: (len(member.shards.held), member.free_shards),
    )
    return await stack.enter_async_context(server)


def _vitals(app: App, spool: Spool) -> Vitals:
    engine = app.engine
    return Vitals(
        engine.alive,
        app.bot.gateway_connected,
        engine.oldest_due_poll,
        engine.occupancy,
        lambda: (spool.used, spool.max_bytes),
    )
