"""The whole bot in its simulated world: one member sends a hostile file, another sends photos meanwhile."""

import asyncio
import io
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from bench.held import Held, held, watching
from bot.domain import Job, JobState
from bot.ui.kit.reasons import reason_words
from sandbox.people import Person, text_of, until
from sandbox.stage import Stage, open_stage
from sandbox.studii import Options, StudiiServer
from tests.hostile.files import HostileFile

INPUTS = {"style": "scandinavian", "room": "bedroom"}
_OVER = JobState.FAILED, JobState.SUCCEEDED


@dataclass(frozen=True)
class Seen:
    """What came of a file: whether it was taken as a photo, after how many seconds that was known, how long
    the slowest innocent photo took, whether all of those were taken, and what was resident at most, in bytes
    more than before."""

    name: str
    size: int
    is_taken: bool
    words: str
    seconds: float
    innocent: float
    are_innocents_taken: bool
    own: int
    decoders: int
    together: int


class Victim:
    """The bot at work, and who uses it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._stranger = Person(stage, stage.world.maya)
        self._innocent = Person(stage, stage.world.tom)
        self._met = 0

    async def set_up(self) -> None:
        """An admin sets the key, with credits for all."""
        admin = Person(self._stage, self._stage.world.admin)
        await admin.set_key(self._stage.studii.add_key().secret, budget="100000")

    async def meet(self, file: HostileFile, data: bytes, innocents: Sequence[tuple[str, bytes]]) -> Seen:
        """Send the file, which was made before, and the photos beside it."""
        self._met += 1
        before = await asyncio.to_thread(held)
        with watching() as most:
            hostile, *others = await asyncio.gather(
                self._send(self._stranger, f"file-{self._met}.{file.suffix}", data),
                *(self._send(self._innocent, f"{self._met}-{name}", photo) for name, photo in innocents),
            )
        return _seen(file, len(data), hostile, others, before, most)

    async def rest(self) -> None:
        """Wait until all jobs are over."""
        await until(self._over, "the end of all jobs")

    async def _send(self, person: Person, name: str, data: bytes) -> tuple[Job, float]:
        """Returns the job once its photo is taken or refused, and how long that took."""
        loop = asyncio.get_running_loop()
        card = await person.command("virtual-staging", image=(name, data), **INPUTS)
        began = loop.time()
        if card.response is None or card.ephemeral:
            raise AssertionError(f"There is no card, but: {text_of(card.response)}")
        job = await until(lambda: self._left_intake(name), f"the end of the intake of {name}")
        if job is None:
            raise AssertionError
        return job, loop.time() - began

    async def _jobs(self) -> list[Job]:
        async with self._stage.app.storage.read() as tx:
            return await tx.jobs.page(self._stage.world.guild.id, None, 0, 50)

    async def _left_intake(self, name: str) -> Job | None:
        found = [job for job in await self._jobs() if job.source is not None and name in job.source.url]
        return found[0] if found and found[0].state is not JobState.RECEIVED else None

    async def _over(self) -> bool:
        return all(job.state in _OVER for job in await self._jobs())


def _seen(
    file: HostileFile,
    size: int,
    hostile: tuple[Job, float],
    innocents: list[tuple[Job, float]],
    before: Held,
    most: Held,
) -> Seen:
    job, seconds = hostile
    return Seen(
        file.name,
        size,
        is_taken=job.state is not JobState.FAILED,
        words=reason_words(job.failure_text),
        seconds=seconds,
        innocent=max(seconds for _, seconds in innocents),
        are_innocents_taken=all(job.state is not JobState.FAILED for job, _ in innocents),
        own=most.own - before.own,
        decoders=most.decoders - before.decoders,
        together=most.together - before.together,
    )


@asynccontextmanager
async def victim(folder: Path) -> AsyncGenerator[Victim]:
    """The bot in `folder`; Studii's jobs are done at once."""
    async with (
        StudiiServer(Options(instant=True, long_side=96)) as studii,
        open_stage(studii, folder, check_errors=False) as stage,
    ):
        bot = Victim(stage)
        await bot.set_up()
        yield bot


def innocents(width: int, height: int) -> list[tuple[str, bytes]]:
    """Photos of the kinds that are sent most; the simulated Discord keeps them, so they are small files."""
    room = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    made = io.BytesIO()
    room.save(made, "JPEG", quality=90, progressive=True)
    png = io.BytesIO()
    room.save(png, "PNG", compress_level=1)
    return [("photo.jpg", made.getvalue()), ("photo.png", png.getvalue())]
