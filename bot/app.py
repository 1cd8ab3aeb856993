"""The composition root: build all parts, run them until a signal to stop or until one ends, close them."""

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import discord
from aiohttp import TCPConnector

from bot.aio.net import Connector, Gate
from bot.aio.tasks import WakeUp, run_forever
from bot.catalog import Catalog
from bot.client.bot import DiscordObserver, StudiiBot, quiet_discord_loggers
from bot.client.login import choose_intents, recommended_shards
from bot.clock import Clock, SystemClock
from bot.cluster import Membership, WantedShards, discord_gate, membership, one_shard
from bot.config import MEGABYTE, Settings
from bot.connections import usable_database
from bot.db import LEASE_TIMEOUT, Database
from bot.delivery import Answers, CdnPhotoSource, DeliveryContext, DiscordDelivery
from bot.engine import REREAD_ALONE, CountedDecoder, Decoder, Engine, PhotoSource, Tuning
from bot.errors import DatabaseFailed, SettingsError, StudiiBotError, Unavailable
from bot.features.photo_rules import KnownPhotoRules
from bot.jobs.accept import Acceptor
from bot.languages import load_all
from bot.media.decoder import hide_memory
from bot.media.pool import DecoderPool
from bot.media.spool import Spool
from bot.migrate import migrate
from bot.monitoring import ORIGIN, HealthServer, Metrics, Vitals, watchdog
from bot.resources import Resources
from bot.servers import privacy, settings as server_settings
from bot.servers.key_entry import KeyEntry
from bot.sqlite_file import ensure_sound, instance_lock, sqlite_file
from bot.studii import StudiiClient
from bot.ui.reading.pictures import found_again
from bot.vault import Vault, lane_names, opens_lane_names
from bot.version import VERSION

_log = logging.getLogger(__name__)

TAKE_OVER_TRIES, TAKE_OVER_PAUSE = 20, 2.0  # seconds


class PartDied(StudiiBotError):
    """The engine or the Discord client ended by itself, so the process ends too."""


@dataclass(frozen=True, slots=True)
class App:
    """All parts, built and ready to run."""

    resources: Resources
    bot: StudiiBot
    engine: Engine
    member: Membership


# Every part is named once, in the order in which it is built, and in which what is wrong can be told.
@asynccontextmanager
async def build(
    settings: Settings,
    *,
    intents: Callable[[], Awaitable[discord.Intents]],
    recommended: Callable[[], Awaitable[int]] = one_shard,
    clock: Clock | None = None,
    photos: PhotoSource | None = None,
    connect: Callable[..., TCPConnector] | None = None,
    decoder: Decoder | None = None,
) -> AsyncGenerator[App]:
    """Build all parts, and close them in order at the end.

    `intents` asks Discord which intents are allowed, after everything else was checked, and `recommended` how
    many shards it recommends (by default one). On PostgreSQL, this stands by until there are shards to serve.
    `photos` is where photos are fetched, by default Discord's CDN. `connect` creates the connectors of HTTP
    sessions, by default through the proxy of the settings. `decoder` opens pictures, by default in its own
    processes. Raises `SettingsError` if a setting, the database, another instance or Discord prevents the
    start.
    """
    clock, metrics = clock or SystemClock(), Metrics()
    connect = connect or partial(Connector, settings.proxy)
    catalog, url = Catalog.load(settings.studii_tools_file), settings.database_url
    keys = tuple(key.reveal() for key in settings.encryption_keys)
    max_photo_bytes = settings.max_source_mb * MEGABYTE
    load_all()
    async with AsyncExitStack() as stack:
        Vault.checked(keys, settings.keys_setting)  # before anything is created
        if sqlite_file(url) is not None:
            await stack.enter_async_context(instance_lock(url))
            await asyncio.to_thread(ensure_sound, url)
        await migrate(url)
        member = await stack.enter_async_context(
            membership(
                url,
                f"{socket.gethostname()}:{os.getpid()}",
                WantedShards(recommended, settings.shard_count, settings.shards_per_process),
                count=lambda what: metrics.cluster[what].inc(),
            )
        )
        ORIGIN.set(lambda: None if member.epoch is None else (member.epoch, member.shards.held))
        db = await stack.enter_async_context(Database.open(url, fence=member, observe=metrics.database))
        vault = Vault.open(keys, settings.key_file, settings.keys_setting)
        health = HealthServer(db, metrics, clock, lambda: (len(member.shards.held), member.free_shards))
        if settings.health_port is not None:  # it answers before the process has its place
            await stack.enter_async_context(health.listening(settings.health_address, settings.health_port))
        with usable_database(url):
            if await member.others() and not await db.read(opens_lane_names, vault):
                raise SettingsError(
                    f"{settings.keys_setting} doesn't open what the other processes on this database have "
                    "stored. Give all of them the same ENCRYPTION_KEYS: on another host, the key file beside "
                    "the database isn't there."
                )
            await member.stand_by()
            lanes = await db.write(lane_names, vault)
        spool = Spool(settings.spool_folder, settings.spool_mb * MEGABYTE)
        studii = await stack.enter_async_context(
            StudiiClient(
                settings.studii_api_url,
                count=metrics.request,
                connect=partial(connect, gate=Gate(lambda _: member.may_act())),
                clock=clock,
            )
        )
        guarded = CountedDecoder(
            db,
            decoder
            or await stack.enter_async_context(
                DecoderPool(max_photo_bytes=max_photo_bytes, died=metrics.decoder_deaths.inc)
            ),
        )
        bot = StudiiBot(
            catalog,
            intents=await _intents(member, intents),
            dev_guild_id=settings.dev_guild_id,
            connector=connect(limit=0, gate=discord_gate(member, clock)),
            observer=DiscordObserver(metrics, clock),
            member=member,
        )
        if photos is None:
            photos = await stack.enter_async_context(
                CdnPhotoSource(partial(found_again, bot, patience=20.0), connect)
            )
        beside = db
        if sqlite_file(url) is None:  # an answer can't wait for what waits for a lock
            beside = await stack.enter_async_context(
                Database.open(url, fence=member, statement_timeout=LEASE_TIMEOUT, used_for="keep answers")
            )
        answers = Answers(
            db, beside, vault, clock, bot, catalog, bot.readers, lambda job_id: engine.progress(job_id)
        )
        context = DeliveryContext(
            bot, catalog, answers, partial(db.read, server_settings.of), bot.readers, guarded
        )
        engine = Engine(
            db=db,
            member=member,
            studii=studii,
            vault=vault,
            delivery=DiscordDelivery(context),
            photos=photos,
            decoder=guarded,
            spool=spool,
            catalog=catalog,
            clock=clock,
            tuning=Tuning() if sqlite_file(url) is None else Tuning(reread_every=REREAD_ALONE),
            posted=metrics.posted.observe,
        )
        resources = Resources(
            db,
            clock,
            catalog,
            Acceptor(db, catalog, clock, max_source_bytes=max_photo_bytes),
            vault,
            KeyEntry(db, clock, catalog, vault, lanes, studii.check_key),
            KnownPhotoRules(db, catalog),
            spool.open_output,
            spool.remove,
            timedelta(days=settings.keep_prompts_days),
            engine.fresh_link,
        )
        bot.attach(resources, clock, answers, engine.progress)
        health.vitals = Vitals(
            engine.alive,
            bot.gateway_connected,
            engine.oldest_due_poll,
            engine.occupancy,
            lambda: (spool.used, spool.max_bytes),
        )
        yield App(resources, bot, engine, member)


async def _intents(member: Membership, ask: Callable[[], Awaitable[discord.Intents]]) -> discord.Intents:
    """Ask which intents are allowed, several times if this process takes over just when Discord is unwell.

    Then it ends, and leaves its shards to another one that may reach Discord.
    """
    for _ in range(TAKE_OVER_TRIES if member.stood_by else 0):
        try:
            return await ask()
        except Unavailable as error:
            _log.error("This process can't serve yet, and tries again. %s", error)
            await asyncio.sleep(TAKE_OVER_PAUSE)
    return await ask()


def collect_rarely() -> None:
    """Make collections of garbage rare, and leave out what is loaded now, which stays to the end."""
    gc.freeze()
    # Python's own numbers are 700, 10, 10: some twenty collections for a job, which find nearly nothing.
    gc.set_threshold(7000, 5, 20)
    gc.enable()


async def run(settings: Settings) -> None:
    """Run the bot until SIGINT or SIGTERM, which may also come during the start.

    Raises `SettingsError` if it can't start, `PartDied` if a part ended by itself, and `StudiiBotError` if
    another process has taken over.
    """
    quiet_discord_loggers()
    hide_memory()
    collect_rarely()
    _log.info("Studii for Discord %s is starting.", VERSION)
    stop, parts_run = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(_serve(settings, stop, parts_run), name="bot")

    def end() -> None:
        stop.set()
        # Running parts are ended in order. A start can be cancelled: it may be waiting for a lock.
        if not parts_run.is_set():
            serving.cancel()

    loop = asyncio.get_running_loop()
    # Not the loop's own handlers, which Windows has not.
    before = {
        number: signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(end))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _serve(settings: Settings, stop: asyncio.Event, parts_run: asyncio.Event) -> None:
    token = settings.discord_token.reveal()
    async with (
        build(
            settings,
            intents=lambda: choose_intents(token, settings.message_content, settings.proxy),
            recommended=lambda: recommended_shards(token, settings.proxy),
        ) as app,
        watchdog(app.engine.stuck),
    ):
        parts_run.set()
        await run_parts(app, token, stop)


async def run_parts(app: App, token: str, stop: asyncio.Event) -> None:
    """Run all parts until `stop` is set or one of them ends, then end them in order.

    Raises `PartDied`, `SettingsError` or `DatabaseFailed` if a part ended by itself, and `StudiiBotError` if
    another process has taken over.
    """
    engine = asyncio.create_task(app.engine.run(), name="engine")
    client = asyncio.create_task(app.bot.start(token), name="discord client")
    stopped = asyncio.create_task(stop.wait(), name="stop signal")
    replaced = asyncio.create_task(app.member.lost(), name="lease")
    upkeep = asyncio.create_task(_tidy(app), name="upkeep")
    languages = asyncio.create_task(app.bot.readers.run(), name="members' languages")
    lost = False
    try:
        await asyncio.wait({engine, client, stopped, replaced}, return_when=asyncio.FIRST_COMPLETED)
        lost = replaced.done() and replaced.exception() is None
        _log.info("Stopping: waiting for the answers to requests in progress.")
    finally:
        # What comes in first ends first: commands, then the engine, then the gateway.
        app.bot.accepting = False
        closed_by_us = not client.done()  # which may end a login with an error
        answered = asyncio.create_task(app.bot.answered(), name="last answers")
        if lost:  # another process hears of everything now
            engine.cancel()  # before there is no session to send with
            await answered
            await app.bot.close()
        failures = [await _end(upkeep), await _end(languages), await _end(engine)]
        await answered
        await app.bot.close()
        failures += [await _end(client, ours=closed_by_us), await _end(stopped), await _end(replaced)]
    if stop.is_set():
        return
    if lost:
        # Untranslated: the operator reads it
        raise StudiiBotError("Another process has taken over, so this one ends. Started again, it stands by.")
    first = next((failure for failure in failures if failure is not None), None)
    if isinstance(
        first, (SettingsError, DatabaseFailed)
    ):  # the latter while it began: later it is tried again
        raise first
    # Untranslated: the operator reads it
    raise PartDied("The bot stopped unexpectedly. The log above has the reason.") from first


async def _tidy(app: App) -> None:
    """Erase expired data, if this process runs bot-wide tasks."""

    async def turn() -> float | None:
        if not app.member.shards.whole_bot:
            return 60.0  # until it may have become this process's
        resources = app.resources
        await privacy.sweep(resources.db, resources.discard, resources.clock.now(), resources.keep)
        return 24 * 3600.0

    await run_forever("erasing expired data", WakeUp(), turn)


async def _end(task: asyncio.Task[object], *, ours: bool = False) -> BaseException | None:
    """Cancel the task, wait for it, and log why it had ended if that was not our doing, as with `ours`; an
    error that the operator has to fix is one line at the end, and needs no log."""
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, (SettingsError, DatabaseFailed)):
        return outcome
    if isinstance(outcome, Exception) and not ours:
        _log.error("The %s stopped unexpectedly.", task.get_name(), exc_info=outcome)
        return outcome
    return None
