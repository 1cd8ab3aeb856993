"""Run all parts until a signal to stop, or until one of them ends."""

import asyncio
import ctypes
import gc
import logging
import signal
import sys
import typing

from aiohttp import connector

from bot.aio.loops import WakeUp, run_forever
from bot.app import App, build
from bot.client.bot import quiet_discord_loggers
from bot.client.login import choose_intents, recommended_shards
from bot.config import Settings
from bot.errors import SettingsError, StudiiBotError
from bot.media.decoder import hide_memory
from bot.monitoring import watchdog
from bot.servers import privacy
from bot.version import VERSION

_log = logging.getLogger(__name__)

SWEEP_EVERY = 24 * 3600.0  # seconds
UPKEEP_CHECK_SECONDS = 60.0  # seconds until it is looked again whether upkeep has become this process's


class PartDied(StudiiBotError):
    """The engine or the Discord client ended by itself, so the process ends too."""


class Replaced(StudiiBotError):
    """Another process has taken over. A supervisor starts this one again, to stand by."""

    default = "Another process has taken over, so this one ends. Started again, it stands by."


async def run(settings: Settings) -> None:
    """Run the bot until SIGINT or SIGTERM, which may also come during the start.

    Raises `SettingsError` if it can't start, `PartDied` if a part ended by itself, and `Replaced` if another
    process has taken over.
    """
    quiet_discord_loggers()
    hide_memory()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if hasattr(libc, "mallopt"):  # not with musl
        # M_ARENA_MAX: all threads allocate from one heap. With one each, as glibc has it, each keeps 0.7 MiB.
        libc.mallopt(-8, 1)
    forget_unused()
    # Make collections rare, and leave out what is loaded now, which stays to the end. Python's own numbers
    # are 700, 10, 10: some twenty collections for a job, which find nearly nothing.
    gc.freeze()
    gc.set_threshold(7000, 5, 5)
    _log.info("Studii for Discord %s is starting.", VERSION)
    stop, parts_run = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(_serve(settings, stop, parts_run), name="bot")

    def end() -> None:
        stop.set()
        # Running parts are ended in order. A start can be cancelled: it may be waiting for a lock.
        if not parts_run.is_set():
            serving.cancel()

    loop = asyncio.get_running_loop()

    def in_its_turn(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(end)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, end)
        except NotImplementedError:  # on Windows
            signal.signal(number, in_its_turn)
    try:
        await serving
    except asyncio.CancelledError:
        if not stop.is_set():
            raise


def forget_unused() -> None:
    """Let go of what libraries make when they are imported, and the bot never uses."""
    typing.clear_overloads()  # signatures for type checkers: half a MiB
    # For connections that verify nothing, of which the bot has none, aiohttp reads the certificates a second
    # time: more than one MiB. The one context for all is the one that verifies.
    connector._SSL_CONTEXT_UNVERIFIED = connector._SSL_CONTEXT_VERIFIED  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


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

    Raises `PartDied` or `SettingsError` if a part ended by itself, and `Replaced` if another process has
    taken over.
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
        answered = asyncio.create_task(app.bot.answered(), name="last answers")
        if lost:  # another process hears of everything now
            engine.cancel()  # before there is no session to send with
            await answered
            await app.bot.close()
        failures = [await _end(upkeep), await _end(languages), await _end(engine)]
        await answered
        await app.bot.close()
        failures += [await _end(client), await _end(stopped), await _end(replaced)]
    if stop.is_set():
        return
    if lost:
        raise Replaced
    first = next((failure for failure in failures if failure is not None), None)
    if isinstance(first, SettingsError):
        raise first
    raise PartDied("The bot stopped unexpectedly. The log above has the reason.") from first


async def _tidy(app: App) -> None:
    """Erase expired data, if this process runs bot-wide tasks."""

    async def turn() -> float | None:
        if not app.member.shards.whole_bot:
            return UPKEEP_CHECK_SECONDS
        services = app.services
        await privacy.sweep(services.db, services.discard, services.clock.now(), services.keep)
        return SWEEP_EVERY

    await run_forever("erasing expired data", WakeUp(), turn)


async def _end(task: asyncio.Task[object]) -> BaseException | None:
    """Cancel the task, wait for it, and log why it had ended if that was not our doing; an error that the
    operator has to fix is one line at the end, and needs no log."""
    task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, SettingsError):
        return outcome
    if isinstance(outcome, Exception):
        _log.error("The %s stopped unexpectedly.", task.get_name(), exc_info=outcome)
        return outcome
    return None
