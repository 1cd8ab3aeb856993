"""The bot in a process of its own, and its worlds in this one: a stranger sends a hostile file, others send
photos at the same moment."""

import asyncio
import io
import signal
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from PIL import Image

from bench.machine.held import Held, decoders_of, held, watching
from bot.clock import SystemClock
from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.jobs import queries
from bot.jobs.models import Job, JobState
from bot.servers.settings import set_budget
from bot.ui.kit.reasons import reason_words
from sandbox.discord.emulator import DiscordServer
from sandbox.discord.emulator.files import Attached
from sandbox.studii import Options, StudiiServer
from tests.hostile.files import MadeFile
from tests.support.database import database
from tests.support.forks import ForkedProcess
from tests.support.patience import PATIENCE, until
from tests.support.process import bot_process, started_process
from tests.support.services import services_on

GUILD, CHANNEL = 11_001, 22_001
STRANGER, INNOCENT = 301, 302
INPUTS = {"style": "scandinavian", "room": "bedroom"}
BUDGET = 1_000_000
FIRST_ANSWER = 15.0  # seconds; how soon a crowd is answered is measured elsewhere
TYPES = {"jpg": "image/jpeg"}
_OVER = JobState.FAILED, JobState.SUCCEEDED


@dataclass(frozen=True)
class Seen:
    """What became of a file.

    It is `as_known` if it was taken as a picture or refused as none. `seconds` pass from its sending until
    it is taken as a photo or refused, and `innocent` until the slowest photo that was sent at the same moment
    is taken. `own` and `decoders` are the most bytes that the bot's process and its decoders held beyond what
    they hold while idle, and `together` is the most that both held.
    """

    name: str
    size: int
    is_taken: bool
    as_known: bool
    words: str
    seconds: float
    innocent: float
    are_innocents_taken: bool
    own: int
    decoders: int
    together: int


class Victim:
    """The bot's process, and the people who use it."""

    def __init__(
        self, process: asyncio.subprocess.Process | ForkedProcess, db: Database, discord: DiscordServer
    ) -> None:
        self._process = process
        self._db = db
        self._discord = discord
        self._met = 0

    @property
    def is_alive(self) -> bool:
        """Whether the bot's process still runs."""
        return self._process.returncode is None

    def held(self) -> Held:
        """Return what the bot's process and its decoders hold now."""
        return held(self._process.pid)

    async def idle(self) -> Held:
        """Return what they hold once no more than one decoder is left."""
        await until(lambda: len(decoders_of(self._process.pid)) < 2, "the end of the spare decoders")
        return self.held()

    async def meet(
        self,
        file: MadeFile,
        data: bytes,
        innocents: Sequence[tuple[str, bytes]],
        idle: Held,
        *,
        beside: Sequence[tuple[MadeFile, bytes]] = (),
    ) -> Seen:
        """Send the file, the photos, and the hostile files `beside` them, all at the same moment."""
        self._met += 1
        name = f"{self._met}-file.{file.suffix}"
        sent = {name: (STRANGER, data)}
        sent |= {f"{self._met}-{n}.{one.suffix}": (STRANGER, data) for n, (one, data) in enumerate(beside)}
        sent |= {f"{self._met}-{other}": (INNOCENT, photo) for other, photo in innocents}
        try:
            with watching(self._process.pid) as most:
                began = asyncio.get_running_loop().time()
                for one, (person, content) in sent.items():
                    self._send(person, one, content)
                hostile, *others = await asyncio.gather(*(self._left_intake(one, began) for one in sent))
                others = others[len(beside) :]
            await until(self._over, "the end of all jobs")
        finally:
            self._discord.cdn.forget()
        return _seen(file, len(data), hostile, others, idle, most)

    async def stop(self) -> int | None:
        """Tell the bot to stop, and return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await self._process.communicate()
        return self._process.returncode

    def _send(self, person: int, name: str, data: bytes) -> None:
        file = self._discord.cdn.keep(name, Attached(len(data), "", _type_of(name), data), CHANNEL)
        options = {**INPUTS, "image": file.told(name)}
        self._discord.send(self._discord.command(CHANNEL, person, "virtual-staging", options))

    async def _left_intake(self, name: str, began: float) -> tuple[Job, float]:
        """Return the job once its photo is taken or refused, and how long that took."""
        job = await until(lambda: self._taken_or_refused(name), f"the end of the intake of {name}")
        assert job is not None
        return job, asyncio.get_running_loop().time() - began

    async def _jobs(self) -> list[Job]:
        if not self.is_alive:
            raise RuntimeError(f"the bot's process ended with {self._process.returncode}")
        return await self._db.read(queries.page, GUILD, None, 0, 50)

    async def _taken_or_refused(self, name: str) -> Job | None:
        found = [job for job in await self._jobs() if job.source is not None and name in job.source.url]
        return found[0] if found and found[0].state is not JobState.RECEIVED else None

    async def _over(self) -> bool:
        return all(job.state in _OVER for job in await self._jobs())


def _type_of(name: str) -> str:
    suffix = name.rpartition(".")[2]
    return TYPES.get(suffix, f"image/{suffix}")


def _seen(
    file: MadeFile,
    size: int,
    hostile: tuple[Job, float],
    innocents: list[tuple[Job, float]],
    idle: Held,
    most: Held,
) -> Seen:
    job, seconds = hostile
    is_taken = job.state is not JobState.FAILED
    return Seen(
        file.name,
        size,
        is_taken=is_taken,
        as_known=is_taken is file.is_picture,
        words=reason_words(job.failure_text),
        seconds=seconds,
        innocent=max((seconds for _, seconds in innocents), default=0.0),
        are_innocents_taken=all(job.state is not JobState.FAILED for job, _ in innocents),
        own=most.own - idle.own,
        decoders=most.decoders - idle.decoders,
        together=most.together,
    )


@asynccontextmanager
async def victim(folder: Path, *, forked: bool = False) -> AsyncGenerator[Victim]:
    """Start the bot on a database in `folder`, and kill it at the end if it still runs.

    `forked` starts it sooner, from a process that has its modules. Studii's jobs are done at once.
    """
    url = await database(folder)
    start = bot_process if forked else started_process
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        DiscordServer(answers=FIRST_ANSWER, limits=None) as discord,
        Database.open(url) as db,
    ):
        services = await services_on(db, folder, SystemClock())
        key = studii.add_key("team", balance=BUDGET)
        await services.keys.set_key(GUILD, key.secret, Plan.TEAM)
        await db.write(set_budget, GUILD, Budget(BUDGET, Period.DAY, SystemClock().now()))
        discord.add_guild(GUILD, [CHANNEL])
        settings = {"DATABASE_URL": f"sqlite:///{folder / 'studii.db'}", "STUDII_API_URL": studii.url}
        async with start(discord, folder, "run", LOG_LEVEL="ERROR", **settings) as process:
            async with asyncio.timeout(PATIENCE):
                await discord.ready.wait()
            yield Victim(process, db, discord)


async def made(file: MadeFile) -> bytes:
    """Make the file, in a process of its own: some take gigabytes."""
    with ProcessPoolExecutor(1, get_context("spawn")) as maker:
        return await asyncio.get_running_loop().run_in_executor(maker, file.make)


def innocents(width: int, height: int) -> list[tuple[str, bytes]]:
    """Return photos of the kinds that are sent most."""
    room = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    made = io.BytesIO()
    room.save(made, "JPEG", quality=90, progressive=True)
    png = io.BytesIO()
    room.save(png, "PNG", compress_level=1)
    return [("photo.jpg", made.getvalue()), ("photo.png", png.getvalue())]
