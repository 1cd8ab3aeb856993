"""One life of a bot's process, until its job is over or it is killed.

It is the real bot with its commands, engine and delivery, logged in and not connected to the gateway: the
interaction that starts the job is handed to discord.py as the gateway would.
"""

import asyncio
import json
import logging
import os
import shutil
import signal
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import discord
import pytest
from discord.http import Route

from bot.catalog import Catalog
from bot.client.bot import HANDLERS, StudiiBot
from bot.clock import SystemClock
from bot.cluster import Membership
from bot.db import Database
from bot.delivery import Answers, DiscordDelivery, answers as answers_module
from bot.engine import CountedDecoder, Engine
from bot.engine.files import Decoder
from bot.errors import PhotoUnavailable
from bot.jobs import progress
from bot.jobs.models import Job, Progress
from bot.media.photo import Photo
from bot.media.pool import DecoderPool
from bot.media.spool import Spool
from bot.servers import settings
from bot.studii import StudiiClient, Timeouts
from bot.ui.kit import answers as kit_answers
from bot.vault import Vault
from sandbox.discord.emulator import TOKEN
from tests.crash.tracer import Tracer
from tests.engine.world import QUICK
from tests.support.cheap import share_extensions, share_payloads
from tests.support.database import holding, sqlite_in_place
from tests.support.decoders import fork_decoders
from tests.support.patience import PATIENCE
from tests.support.services import SPOOL_BYTES, services_on
from tests.support.simulated import context_on

# What is still to be said: last words, answers, progress, and that there is no result.
UNSAID = "jobs WHERE announced_at IS NULL"
LATE = "answers WHERE subject IS NULL"
PROGRESS = "answers WHERE subject IS NOT NULL"
GOES_ON = (UNSAID, LATE, PROGRESS, "posts WHERE kind = 'failure' AND due_at IS NOT NULL")
_PAUSES = ("PACE", "MOMENT", "PLACE_KNOWN_IN", "EVERY")
ENDED, GAVE_UP = 0, 3
# A machine that is busy makes no answer unknown.
TIMEOUTS = Timeouts(connect=10, read=5, total=10, transfer=10)
HELD, DEFERRED_AFTER = 0.25, 0.05  # seconds; an answer is kept before it is deferred
QUICKLY = timedelta(seconds=0.05)


@dataclass(frozen=True)
class Life:
    """What a process is started with. `point` and `nth`: where it dies; `dies_once`: or as soon as there is a
    row in that table. `later`: seconds that its clock is ahead. `guild` and `interaction`: what the gateway
    tells it of. `deadly`: files of the spool (`<job>.source`) that kill the process when they are opened.
    `slow`: somebody else is writing for a moment when the interaction comes, so that it is deferred.

    `threads`: SQLite works in threads of its own, as in earnest. Else it works where it is awaited, which is
    cheaper: a death while a transaction is committed is then one before or after it, which it is anyway.
    """

    folder: str
    studii: str
    discord: str
    point: str | None = None
    nth: int = 1
    dies_once: str | None = None
    later: float = 0.0
    trace: bool = False
    threads: bool = False
    deadly: Sequence[str] = ()
    slow: bool = False
    guild: Mapping[str, Any] | None = None
    interaction: Mapping[str, Any] | None = None


def live(life: Life, *, forks: bool = False) -> int:
    """Live it; returns the exit status. Points that were passed are left in `points.json`.

    `forks`: decoders are forked off, and while one starts is no point to die at.
    """
    logging.disable()
    Route.BASE = life.discord
    tracer = Tracer(life.point, life.nth)
    with pytest.MonkeyPatch.context() as patch:
        # What the zygote has loaded and translated, as far as it is no point to die at.
        share_extensions(patch)
        share_payloads(patch)
        if forks:
            fork_decoders(patch)
        if not life.threads:
            sqlite_in_place(patch)
        if life.slow:
            patch.setattr(kit_answers, "ANSWER_BY", DEFERRED_AFTER)
        patch.setattr(answers_module, "GATHERED", QUICKLY / timedelta(seconds=1))
        for module, name in ((progress, "PACE"), *((answers_module, one) for one in _PAUSES)):
            patch.setattr(module, name, QUICKLY)
        code = asyncio.run(_live(life, tracer))
    if life.trace:
        (Path(life.folder) / "points.json").write_text(json.dumps(tracer.seen))
    return code


# Long: one life from its begin to its end, in order.
async def _live(life: Life, tracer: Tracer) -> int:
    folder = Path(life.folder)
    clock, catalog = LaterClock(life.later), Catalog.load()
    vault = Vault.open((), folder / "encryption.key")
    async with (
        Database.open(f"sqlite+aiosqlite:///{folder / 'studii.db'}") as db,
        StudiiClient(life.studii, timeouts=TIMEOUTS) as studii,
        DecoderPool() as decoder,
        StudiiBot(catalog, intents=discord.Intents.none()) as bot,
    ):
        guarded = CountedDecoder(db, DeadlyDecoder(decoder, life.deadly))

        async def progress_of(job_id: str) -> Progress:
            return await engine.progress(job_id)

        answers = Answers(db, db, vault, clock, bot, catalog, bot.readers, progress_of)
        rules = partial(db.read, settings.of)
        context = context_on(bot, catalog, guarded, rules, readers=bot.readers, answers=answers, read=no_file)
        delivery = DiscordDelivery(context)
        engine = Engine(
            db=db,
            studii=studii,
            vault=vault,
            delivery=delivery,
            photos=FolderPhotos(folder),
            decoder=guarded,
            spool=Spool(folder / "spool", SPOOL_BYTES),
            catalog=catalog,
            clock=clock,
            tuning=QUICK,
            member=Membership(),
            posted=lambda _: None,
        )
        services = await services_on(db, folder, clock, catalog=catalog)
        bot.attach(services, clock, answers, progress_of)
        traced = life.trace or life.point is not None
        if traced and life.interaction is None:
            tracer.install()  # with the login, the bot answers what an earlier life has left
        await asyncio.create_task(bot.login(TOKEN))  # what it begins is the bot's, not the test's
        if traced and life.interaction is not None:
            tracer.install()
        loop = asyncio.get_running_loop()
        if life.guild is not None:
            bot._connection.parse_guild_create(dict(life.guild))  # type: ignore[arg-type] # pyright: ignore
            bot._ready.set()  # pyright: ignore[reportPrivateUsage]  # the gateway has named all servers
        holding = {await _writer(db)} if life.slow and life.interaction else set[asyncio.Task[None]]()
        running = asyncio.create_task(engine.run())
        if life.interaction is not None:
            # Where the gateway calls it from: what it begins belongs to the bot, and not to us.
            loop.call_soon(bot._connection.parse_interaction_create, life.interaction)  # pyright: ignore
        try:
            async with asyncio.timeout(PATIENCE):
                await _until_over(life, running)
        except TimeoutError:
            return GAVE_UP
        finally:
            running.cancel()
            await asyncio.wait({running, *holding})
    return ENDED


async def _writer(db: Database) -> "asyncio.Task[None]":
    """Return a writer that everybody else has to wait for."""
    begun = asyncio.Event()

    async def hold() -> None:
        async with holding(db):
            begun.set()
            await asyncio.sleep(HELD)

    task = asyncio.create_task(hold())
    await begun.wait()
    return task


async def _until_over(life: Life, running: "asyncio.Task[Any]") -> None:
    # Past the bot's own storage: what is only looked at costs next to nothing, and is no point to die at.
    await asyncio.sleep(0)
    with closing(sqlite3.connect(f"file:{Path(life.folder) / 'studii.db'}?mode=ro", uri=True)) as watcher:
        while not running.done():
            if life.dies_once is not None and _count(watcher, life.dies_once):
                os.kill(os.getpid(), signal.SIGKILL)
            if not _goes_on(watcher) and not _handling():
                return
            await asyncio.sleep(0.01)
    running.result()


def _handling() -> bool:
    """Whether a command or button is being dealt with."""
    return any(task.get_name().startswith(HANDLERS) for task in asyncio.all_tasks())


def _goes_on(watcher: sqlite3.Connection) -> bool:
    """Whether something is still to be said, at one moment: a row may go over from one table to another."""
    there = " OR ".join(f"EXISTS (SELECT 1 FROM {one})" for one in GOES_ON)  # noqa: S608 - words of ours
    return bool(watcher.execute(f"SELECT {there}").fetchone()[0])


def _count(watcher: sqlite3.Connection, rows: str) -> int:
    return int(watcher.execute(f"SELECT count(*) FROM {rows}").fetchone()[0])  # noqa: S608 - words of ours


class LaterClock(SystemClock):
    """A clock that is ahead."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._ahead


class FolderPhotos:
    """Photos come from a folder, and it takes a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        await asyncio.to_thread(shutil.copyfile, self._folder / "photo.png", destination)


async def no_file(url: str, limit: int) -> bytes:
    """Read a file of Discord's; the starred results of trials have none."""
    raise PhotoUnavailable


class DeadlyDecoder:
    """Opening some files kills the process; meanwhile others are being opened."""

    def __init__(self, decoder: Decoder, deadly: Sequence[str]) -> None:
        self._decoder = decoder
        self._deadly = deadly

    async def inspect(self, path: Path) -> Photo:
        await self._open(path)
        return await self._decoder.inspect(path)

    async def check(self, path: Path) -> None:
        await self._open(path)
        await self._decoder.check(path)

    async def fit(self, path: Path, limit: int, *, made: bool = False) -> bytes | None:
        await self._open(path)
        return await self._decoder.fit(path, limit, made=made)

    async def label(self, path: Path, limit: int, words: str, corner: str) -> bytes | None:
        await self._open(path)
        return await self._decoder.label(path, limit, words, corner)

    async def split(self, before: Path, after: Path, limit: int, labels: tuple[str, str]) -> bytes | None:
        await self._open(after)
        return await self._decoder.split(before, after, limit, labels)

    async def _open(self, path: Path) -> None:
        if self._deadly:
            await asyncio.sleep(0.1)
        if any(path.name.startswith(name) for name in self._deadly):
            os.kill(os.getpid(), signal.SIGKILL)
