"""The demo's world: Studii, Discord and the page in this process, the bot in another."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.demo.acts import NotPossibleError
from sandbox.demo.bot import running_bot, until_ready
from sandbox.demo.people import Guest
from sandbox.demo.place import PEOPLE, build, furnish
from sandbox.demo.site import Site
from sandbox.demo.tour import Tour
from sandbox.discord.emulator import DiscordServer
from sandbox.photos import sample_photos
from sandbox.studii import Options, StudiiServer

MAX_KEPT_UPLOAD_BYTES = 100 * 1024 * 1024  # bytes of a file that can be fetched again


@dataclass
class DemoWorld:
    """A running demo. `bot` ends with the bot's process; `photos` are the samples, by file name."""

    studii: StudiiServer
    discord: DiscordServer
    site: Site
    bot: asyncio.Task[int]
    photos: Mapping[str, bytes] = field(default_factory=dict[str, bytes])

    async def prepare(self) -> None:
        """Post the sample photos, wait for the bot, and set the server's key.

        Raises `BotEndedError`, and `NotPossibleError` if the bot doesn't answer, for the third time.
        """
        self.photos = await asyncio.to_thread(sample_photos)
        furnish(self.discord, self.photos, self.studii.add_key("team", balance=5000).secret)
        self.site.changed()
        await until_ready(self.discord, self.bot)
        # A machine that has just installed its packages can be too slow once; a person would try again, too.
        for tries_left in (2, 1, 0):
            try:
                await self.tour().set_key()
                break
            except NotPossibleError:
                if not tries_left:
                    raise
                await asyncio.sleep(1.0)
        self.site.changed()

    def guest(self, person_id: int) -> Guest:
        """Return somebody who acts in the first channel."""
        return Guest(self.discord, self.site.acts, next(one for one in PEOPLE if one.id == person_id))

    def tour(self) -> Tour:
        """Return a tour of its own."""
        return Tour(self.discord, self.studii, self.site.acts, self.photos)


@asynccontextmanager
async def open_world(folder: Path, *, port: int = 0, speed: float = 1.0) -> AsyncGenerator[DemoWorld]:
    """Start everything, with the bot's database in `folder`; it is not prepared yet.

    Jobs take `speed` times less than Studii's own.
    """
    async with AsyncExitStack() as opened:
        studii = await opened.enter_async_context(StudiiServer(Options(speed=speed)))
        discord = DiscordServer(message_content=True, keep_files=MAX_KEPT_UPLOAD_BYTES)
        build(discord)
        await opened.enter_async_context(discord)
        site = await opened.enter_async_context(Site(discord, port=port))
        bot = await opened.enter_async_context(running_bot(discord, studii, folder))
        yield DemoWorld(studii, discord, site, bot)


@asynccontextmanager
async def prepared_world(folder: Path, *, speed: float = 1.0) -> AsyncGenerator[DemoWorld]:
    """Start everything, and prepare it."""
    async with open_world(folder, speed=speed) as world:
        await world.prepare()
        yield world
