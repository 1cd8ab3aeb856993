"""The two worlds around a bot that is killed."""

import asyncio
import itertools
import json
import shutil
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TextIO

from bot.clock import SystemClock
from bot.db import Database
from bot.domain.guilds import Plan
from bot.jobs import accept
from bot.jobs.models import Job
from bot.servers import keys, settings
from bot.vault import Vault, lane_names
from sandbox.discord.emulator import DiscordServer
from sandbox.studii import Options, StudiiServer
from tests.crash.life import Life
from tests.crash.verdicts import MAYA, NOT_WHOLE, Case, Verdicts
from tests.crash.zygote import FORKS
from tests.engine.world import STAGING as STYLE, a_job, a_staging_job, png
from tests.support.cheap.memory import place_in_memory
from tests.support.database import database, given
from tests.support.forks import conversation

__all__ = ["KILLED", "MAYA", "NOT_WHOLE", "Case", "CrashWorlds", "Zygote", "worlds", "zygote"]

KILLED = -9
ANSWERED_IN = 15.0  # seconds: a busy machine makes no answer come too late
PHOTO = "https://cdn.discordapp.com/attachments/1/2/room.png"
STAGING: Mapping[str, Any] = STYLE | {
    "image": {
        "filename": "room.png",
        "size": 500,
        "url": PHOTO,
        "proxy_url": PHOTO,
        "content_type": "image/png",
    }
}


class Zygote:
    """The process from which lives are started, one at a time. `processor`: seconds that they took of it."""

    def __init__(self, said: TextIO, answered: TextIO) -> None:
        self._said, self._answered = said, answered
        self.processor = 0.0

    async def live(self, life: Life) -> int:
        """How it ended: the exit status, or minus the signal."""
        return await asyncio.to_thread(self._ask, json.dumps(asdict(life)))

    def _ask(self, life: str) -> int:
        self._said.write(f"{life}\n")
        self._said.flush()
        code, seconds = self._answered.readline().split()
        self.processor += float(seconds)
        return int(code)


@contextmanager
def zygote(*, forks: bool = False) -> Generator[Zygote]:
    """It belongs to no event loop: tests may share one. Its first life is not to be killed.

    `forks`: its lives fork their decoders off, which is cheaper.
    """
    with conversation("tests.crash.zygote", *([FORKS] if forks else ())) as (said, answered):
        yield Zygote(said, answered)


@dataclass
class CrashWorlds(Verdicts):
    """A Studii and a Discord that outlive the bot."""

    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def case(self, *, text: bool = False, private: bool = False) -> Case:
        """Somebody has just used a command: with a photo, unless it is a `text`."""
        number = next(self.numbers)
        folder = self.folder / str(number)
        await asyncio.to_thread(shutil.copytree, self.folder / "template", folder)
        key = self.studii.add_key("team")
        guild_id, channel_id = 100_000 + number, 200_000 + number
        tool, options = ("studio", {"prompt": "A red kite"}) if text else ("virtual-staging", STAGING)
        if private:
            options = {**options, "private": True}
        self.discord.add_guild(guild_id, [channel_id])
        asked, told = self.discord.command(channel_id, MAYA, tool, options)
        case = Case(folder, key, guild_id, channel_id, told, private, asked)
        async with Database.open(case.database) as db:
            vault = Vault.open((), folder / "encryption.key")
            lane = (await db.write(lane_names, vault)).lane_of(key.secret)
            at = SystemClock().now()
            sealed = vault.seal(key.secret)
            stored = await db.write(keys.add, guild_id, lane, key.hint, Plan.TEAM, sealed, at)
            await db.write(settings.set_key, guild_id, stored.id, at)
        return case

    async def accepted(self, *, text: bool = False) -> tuple[Case, Job]:
        """A job that was accepted in an earlier life, which ended before it answered."""
        case = await self.case(text=text)
        ids = {"guild_id": case.guild_id, "channel_id": case.channel_id}
        job = a_job(**ids) if text else a_staging_job(**ids)  # type: ignore[arg-type]
        async with Database.open(case.database) as db:
            await db.write(given(accept.store, [job], job.created_at))
        return case, job

    def life(self, case: Case, **options: Any) -> Life:
        guild = self.discord.places.guilds[case.guild_id].told()
        return Life(str(case.folder), self.studii.url, self.discord.api, guild=guild, **options)

    def begun(self, case: Case, **options: Any) -> Life:
        """The life in which the command is used."""
        return self.life(case, interaction=case.interaction, **options)

    def cancel(self, case: Case) -> Mapping[str, Any] | None:
        """What the gateway tells of somebody who presses Cancel, if it is there to be pressed."""
        for message in self._ephemeral(case):
            for custom_id in message.custom_ids():
                if ":cancel:" in custom_id:
                    return self.discord.press(message, MAYA, custom_id)[1]
        return None

    async def drop(self, case: Case) -> None:
        """What is left of it is not needed any more."""
        self.discord.remove_guild(case.guild_id)
        self.discord.forget()
        await asyncio.to_thread(shutil.rmtree, case.folder)


@asynccontextmanager
async def worlds(options: Options | None = None) -> AsyncGenerator[CrashWorlds]:
    folder = _new_folder()
    try:
        await database(folder / "template")
        options = options or Options(instant=True, long_side=64)
        async with StudiiServer(options) as studii, DiscordServer(first_answer=ANSWERED_IN) as discord:
            yield CrashWorlds(folder, studii, discord)
    finally:
        shutil.rmtree(folder)


def _new_folder() -> Path:
    """In memory where there is such a place: a killed process loses nothing that it had written there."""
    folder = Path(mkdtemp(prefix="studii-crash-", dir=place_in_memory()))
    template = folder / "template"
    (template / "spool").mkdir(parents=True)
    (template / "photo.png").write_bytes(png())
    return folder
