"""The composition root, which builds all parts and closes them in order."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import discord
from aiohttp import TCPConnector

from bot.aio.net import Connector
from bot.catalog import Catalog
from bot.client.bot import StudiiBot
from bot.client.discord_observer import DiscordObserver
from bot.clock import Clock, SystemClock
from bot.cluster import Membership, discord_gate, studii_gate
from bot.config import MEGABYTE, Settings
from bot.delivery import BestPoster, CardTokens, CdnPhotoSource, DeliveryContext, DiscordDelivery, LateAnswers
from bot.engine import CountedDecoder, Decoder, Engine, PhotoSource, Tuning
from bot.errors import SettingsError, StudiiBotError, TakeOverFailed
from bot.languages import load_all
from bot.media.pool import DecoderPool
from bot.media.spool import Spool
from bot.monitoring import Metrics, Vitals
from bot.open_stores import Stores, open_stores
from bot.services import Services, build_services
from bot.storage import Storage
from bot.studii import StudiiClient
from bot.ui.jobs.wording import ToolNames
from bot.ui.reading.photo_lookup import found_again

FIND_SECONDS = 20.0  # to ask Discord for a photo's fresh URL


class DiscordFiles(PhotoSource, Protocol):
    """A source of photos and other files of Discord's."""

    async def read(self, url: str, limit: int) -> bytes:
        """Return the file. Raises `PhotoUnavailable`, or `PhotoDelayed` if it is for the moment alone."""
        ...


@dataclass(frozen=True, slots=True)
class App:
    """All parts, built and ready to run."""

    storage: Storage
    services: Services
    bot: StudiiBot
    engine: Engine
    member: Membership


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
    decoder: Decoder | None = None,
    metrics: Metrics | None = None,
) -> AsyncGenerator[App]:
    """Build all parts, and close them in order at the end.

    `intents` asks Discord which intents are allowed, after everything else was checked, and `recommended` how
    many shards it recommends (by default one). On PostgreSQL, this stands by until there are shards to serve.
    `photos` is where photos are fetched, by default Discord's CDN. `connect` creates the connectors of HTTP
    sessions, by default through the proxy of the settings. `decoder` opens pictures, by default in its own
    processes. `metrics` continue to count where this is called again. Raises `SettingsError` if a setting,
    the database or another instance prevents the start, and `TakeOverFailed` if Discord does after a standby.
    """
    clock, metrics = clock or SystemClock(), metrics or Metrics()
    catalog = Catalog.load(settings.studii_tools_file)
    load_all()
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, stack, metrics, clock, recommended or _one)
        member = stores.member
        connect = connect or partial(Connector, settings.proxy)
        studii = await stack.enter_async_context(_studii(settings, connect, metrics, member, clock))
        pool = decoder or await stack.enter_async_context(_decoders(settings, metrics))
        guarded = CountedDecoder(stores.storage, pool)
        to_discord = connect(limit=0, gate=discord_gate(member, clock))
        bot = _bot(settings, catalog, await _intents(member, intents), to_discord, metrics, clock, member)
        if photos is None:
            find = partial(found_again, bot, patience=FIND_SECONDS)
            photos = await stack.enter_async_context(CdnPhotoSource(connect, find))
        context = _delivery_context(bot, catalog, clock, guarded)
        delivery = DiscordDelivery(context)
        engine = Engine(
            storage=stores.storage,
            member=member,
            studii=studii,
            vault=stores.vault,
            delivery=delivery,
            showcase=BestPoster(context, photos.read),
            photos=photos,
            decoder=guarded,
            spool=stores.spool,
            catalog=catalog,
            clock=clock,
            tuning=Tuning(),
            posted=metrics.posted.observe,
        )
        services = _services(stores, settings, catalog, clock, studii.check_key)
        answers = LateAnswers(stores.deferrals, bot, services.jobs, catalog, bot.readers)
        bot.attach(services, delivery, clock, stores.deferrals, answers.run)
        app = App(stores.storage, services, bot, engine, member)
        if stores.health is not None:
            stores.health.vitals = _vitals(app, stores.spool)
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


def _decoders(settings: Settings, metrics: Metrics) -> DecoderPool:
    return DecoderPool(max_photo_bytes=settings.max_source_mb * MEGABYTE, died=metrics.decoder_deaths.inc)


def _delivery_context(
    bot: StudiiBot, catalog: Catalog, clock: Clock, decoder: CountedDecoder
) -> DeliveryContext:
    names, tokens, rules = ToolNames(catalog), CardTokens(clock), bot.posting_rules
    return DeliveryContext(bot, names, clock, tokens, rules, bot.readers, decoder)


def _studii(
    settings: Settings,
    connect: Callable[..., TCPConnector],
    metrics: Metrics,
    member: Membership,
    clock: Clock,
) -> StudiiClient:
    through_gate = partial(connect, gate=studii_gate(member))
    return StudiiClient(settings.studii_api_url, count=metrics.request, connect=through_gate, clock=clock)


def _services(
    stores: Stores,
    settings: Settings,
    catalog: Catalog,
    clock: Clock,
    check: Callable[[str], Awaitable[None]],
) -> Services:
    return build_services(
        stores.storage,
        stores.vault,
        stores.lanes,
        catalog,
        clock,
        check_key=check,
        discard=stores.spool.remove,
        open_file=stores.spool.open_output,
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
        observer=DiscordObserver(metrics, clock),
        member=member,
    )


def _vitals(app: App, spool: Spool) -> Vitals:
    engine = app.engine
    return Vitals(
        engine.alive,
        app.bot.gateway_connected,
        engine.oldest_due_poll,
        engine.occupancy,
        lambda: (spool.used, spool.max_bytes),
    )
