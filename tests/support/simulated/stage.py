"""The whole bot in its simulated world: the real application between a Studii and a Discord of our own."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, cast

import discord

from bot import app
from bot.aio.net import Connector
from bot.client.bot import RunningAnswers, StudiiBot
from bot.client.login import photo_intents
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.errors import PhotoUnavailable
from bot.jobs.models import Job
from sandbox.studii import StudiiServer
from tests.support.database import database
from tests.support.simulated.cdn import AttachmentTooLargeError, SimulatedCdn, UnknownAttachmentError
from tests.support.simulated.server import SimulatedServer, build_server
from tests.support.simulated.simulation import simulated_discord

ENGINE_ENDS_WITHIN = 60.0  # seconds
SETTLES_WITHIN = 120.0  # seconds; also on a busy machine
# simcord waits for every timer of the bot's: also for the one that closes idle connections after 15 seconds.
CONNECT = partial(Connector, keepalive_timeout=None)


class SimulatedPhotos:
    """Fetches sources from the simulated Discord, which exists only once the bot does."""

    def __init__(self) -> None:
        self.cdn: SimulatedCdn | None = None

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        if self.cdn is None or job.source is None:
            raise PhotoUnavailable
        try:
            data = await self.cdn.fetch(job.source.url, limit=limit)
        except (UnknownAttachmentError, AttachmentTooLargeError) as error:
            raise PhotoUnavailable from error
        await asyncio.to_thread(destination.write_bytes, data)

    async def read(self, url: str, limit: int) -> bytes:
        if self.cdn is None:
            raise PhotoUnavailable
        try:
            return await self.cdn.fetch(url, limit=limit)
        except (UnknownAttachmentError, AttachmentTooLargeError) as error:
            raise PhotoUnavailable from error


class OthersRun:
    """Answers that are kept up to date by a task that isn't the bot's."""

    def __init__(self, answers: RunningAnswers) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)

    async def run(self) -> None: ...


class Stage:
    """A running world: everything in it is real except Studii and Discord."""

    def __init__(self, studii: StudiiServer, settings: Settings) -> None:
        self.studii = studii
        self.clock: Clock = SystemClock()
        self.world: SimulatedServer
        self.app: app.App
        self.engine: asyncio.Task[None]
        self._settings = settings
        self._photos = SimulatedPhotos()
        self._built = AsyncExitStack()

    async def build(self) -> StudiiBot:
        """Build the application anew, on the same database."""
        self.app = await self._built.enter_async_context(
            app.build(
                self._settings, intents=find_intents, clock=self.clock, photos=self._photos, connect=CONNECT
            )
        )
        # It waits as long as the bot runs, and simcord waits for every task of the bot's.
        self._answers = self.app.bot.answers
        self.app.bot.answers = cast(RunningAnswers, OthersRun(self._answers))
        return self.app.bot

    def enter(self, world: SimulatedServer) -> None:
        """Start the engine in this world, which the bot has come into."""
        self.world = world
        self._photos.cdn = world.cdn
        # Not before the simulation runs: the engine's edits would go to the real Discord.
        self.engine = asyncio.create_task(self.app.engine.run(), name="engine")
        self.answering = asyncio.create_task(self._answers.run(), name="answers")

    async def stop(self) -> None:
        """End the engine and the application, as on SIGTERM."""
        self.engine.cancel()
        self.answering.cancel()
        await asyncio.wait({self.engine, self.answering}, timeout=ENGINE_ENDS_WITHIN)
        await self._built.aclose()

    async def restart(self) -> None:
        """Replace this process of the bot by another; Discord and Studii live on."""
        await self.stop()
        await self.world.env.restart_bot(await self.build())
        self.enter(self.world)


@asynccontextmanager
async def open_stage(
    studii: StudiiServer,
    folder: Path,
    photos: Mapping[str, bytes] | None = None,
    *,
    check_errors: bool = True,
    **settings: object,
) -> AsyncGenerator[Stage]:
    """Run the bot against `studii` in a new simulated Discord; the database and the spool are in `folder`.

    `photos` are posted in the channel by members before anything else; `settings` replace the bot's own.
    """
    await database(folder)
    given = {**defaults(folder, studii.url), **settings}
    stage = Stage(studii, Settings.read(**{name: str(value) for name, value in given.items()}))
    async with simulated_discord(
        await stage.build(), check_errors=check_errors, settle_timeout=SETTLES_WITHIN
    ) as env:
        stage.enter(await build_server(env, stage.clock, photos or {}, bot_permissions=BOT_PERMISSIONS))
        try:
            yield stage
        finally:
            await stage.stop()


async def find_intents() -> discord.Intents:
    """Return the intents of a bot that may read messages."""
    return photo_intents()


def defaults(folder: Path, api: str) -> dict[str, object]:
    """Return settings for a bot that lives in `folder`."""
    return {
        "discord_token": "of.no.use",
        "database_url": f"sqlite:///{folder / 'studii.db'}",
        "encryption_keys": "",
        "studii_api_url": api,
    }


BOT_PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
)
