"""The whole bot in its simulated world: the real application between a Studii and a Discord of our own."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import discord
import simcord

from bot import app
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.errors import PhotoUnavailable
from bot.model import Job
from sandbox.discord.cdn import AttachmentTooLargeError, SimulatedCdn, UnknownAttachmentError
from sandbox.discord.world import World, build_world
from sandbox.studii import StudiiServer

ENGINE_ENDS_WITHIN = 10.0  # seconds


@dataclass(frozen=True)
class Stage:
    """The parts of a running world; everything in it is real except Studii and Discord."""

    studii: StudiiServer
    app: app.App
    world: World
    clock: Clock
    engine: asyncio.Task[None]


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
    clock = SystemClock()
    source = SimulatedPhotos()
    read = Settings.read(**{**defaults(folder, studii.url), **settings})
    async with (
        app.build(read, intents=find_intents, clock=clock, photos=source) as built,
        simcord.run(built.bot, shard_count=1, check_errors=check_errors) as env,
    ):
        world = await build_world(env, clock, photos or {}, bot_permissions=BOT_PERMISSIONS)
        source.cdn = world.cdn
        # Not before the simulation runs: the engine's edits would go to the real Discord.
        engine = asyncio.create_task(built.engine.run(), name="engine")
        try:
            yield Stage(studii, built, world, clock, engine)
        finally:
            engine.cancel()
            await asyncio.wait({engine}, timeout=ENGINE_ENDS_WITHIN)


async def find_intents() -> discord.Intents:
    """The intents of a bot that nobody has given the privileged ones."""
    return discord.Intents(guilds=True)


def defaults(folder: Path, api: str) -> dict[str, object]:
    """Settings for a bot that lives in `folder`; nothing is taken from the environment's own `.env`."""
    return {
        "_env_file": None,
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
)
