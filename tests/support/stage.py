"""The whole bot in a simulated world: the real application between a Studii and a Discord of our own.

There is a server with its people, its channel, and photos that members have posted.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import discord
from simcord import Env, MemberActor

from bot import app
from bot.aio.net import Connector
from bot.client.bot import StudiiBot
from bot.client.login import intents_for
from bot.clock import Clock, SystemClock
from bot.config import Settings
from bot.errors import PhotoUnavailable
from bot.jobs.models import Job
from bot.servers.keys import Plan
from bot.ui.kit.answers import AnswerKeeper
from sandbox.studii import StudiiServer
from tests.support.database import database
from tests.support.desk import Place, build_place, texts
from tests.support.patience import PATIENCE, until
from tests.support.simulated import simulated_discord

ENGINE_ENDS_WITHIN = 60.0  # seconds
# simcord waits for every timer of the bot's: also for the one that closes idle connections after 15 seconds.
CONNECT = partial(Connector, keepalive_timeout=None)


class SimulatedPhotos:
    """Fetches sources from the simulated Discord, which exists only once the bot does."""

    def __init__(self) -> None:
        self.env: Env | None = None

    async def fetch(self, job: Job, destination: Path, limit: int) -> None:
        url = "" if job.source is None else job.source.url
        data = None if self.env is None else self.env.backend.cdn.get(url)
        if data is None or len(data) > limit:
            raise PhotoUnavailable
        await asyncio.to_thread(destination.write_bytes, data)


class OthersRun:
    """Answers that are kept up to date by a task that isn't the bot's."""

    def __init__(self, answers: AnswerKeeper) -> None:
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)

    async def run(self) -> None: ...


class Stage:
    """A running world: everything in it is real except Studii and Discord."""

    def __init__(self, settings: Settings) -> None:
        self.clock: Clock = SystemClock()
        self.world: Place
        self.app: app.App
        self.engine: asyncio.Task[None]
        self._settings = settings
        self._photos = SimulatedPhotos()
        self._built = AsyncExitStack()

    async def build(self) -> StudiiBot:
        """Build the application anew, on the same database."""
        self.app = await self._built.enter_async_context(
            app.build(
                self._settings, intents=_intents, clock=self.clock, photos=self._photos, connect=CONNECT
            )
        )
        # It waits as long as the bot runs, and simcord waits for every task of the bot's.
        self._answers = self.app.bot.answers
        self.app.bot.answers = cast(AnswerKeeper, OthersRun(self._answers))
        return self.app.bot

    def enter(self, world: Place) -> None:
        """Start the engine in this world, which the bot has come into."""
        self.world = world
        self._photos.env = world.env
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

    async def set_key(self, secret: str) -> None:
        """Set the server's Studii key."""
        await self.app.resources.keys.set_key(self.world.guild.id, secret, Plan.PRO)

    async def result(self, maker: MemberActor, prompt: str) -> discord.Message:
        """Let somebody ask for a picture, and wait for the message in the channel with it."""
        shown = await maker.slash(self.world.channel, "studio", prompt=prompt)
        assert shown.response is not None
        assert shown.ephemeral
        asked, words = shown.response.id, f"<@{maker.id}>, your "

        def there() -> discord.Message | None:
            said = self.world.channel.history()
            return next((one for one in said if one.id > asked and words in texts(one)), None)

        return await until(there, f"the result of {texts(shown)!r}")


@asynccontextmanager
async def open_stage(
    studii: StudiiServer, folder: Path, photos: Mapping[str, bytes] | None = None
) -> AsyncGenerator[Stage]:
    """Run the bot against `studii` in a new simulated Discord; the database and the spool are in `folder`.

    `photos` are posted in the channel by members before anything else.
    """
    await database(folder)
    settings = Settings.read(
        discord_token="of.no.use",
        database_url=f"sqlite:///{folder / 'studii.db'}",
        encryption_keys="",
        studii_api_url=studii.url,
    )
    stage = Stage(settings)
    async with simulated_discord(await stage.build(), settle_timeout=PATIENCE) as env:
        behind = (stage.clock.now() - env.now()).total_seconds()
        if behind > 0:  # the simulation does not follow the time of day by itself
            await env.advance_time(behind)
        place = build_place(env)
        await env.settle()
        for author, photo in zip(cycle((place.maya, place.tom)), (photos or {}).items(), strict=False):
            await author.send(place.channel, photo[0], attachments=[photo])
        stage.enter(place)
        try:
            yield stage
        finally:
            await stage.stop()


async def _intents() -> discord.Intents:
    return intents_for(photos=True)  # those of a bot that may read messages
