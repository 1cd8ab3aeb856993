"""The two worlds around a bot that is killed, and what has to be true of them afterwards."""

import asyncio
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from bot.model import EntryKind, Job, JobState, Plan
from bot.storage import LaneNames, Storage, Vault, migrate
from sandbox.discord.rest import DiscordRest, Message
from sandbox.studii import Key, Options, StudiiServer
from sandbox.studii.faults import Answer
from sandbox.studii.jobs import Job as StudiiJob
from tests.crash.life import Life
from tests.engine.world import a_job, a_staging_job, png

KILLED = -9
NOT_WHOLE = "posted without its picture, or not with the whole of it"
COUNTED = {"create", "status", "upload"}  # against a key's requests a minute
ROOT = Path(__file__).parents[2]


class Zygote:
    """The process from which lives are started, one at a time. `processor`: seconds that they took of it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.processor = 0.0

    async def live(self, life: Life) -> int:
        """How it ended: the exit status, or minus the signal."""
        return await asyncio.to_thread(self._ask, json.dumps(asdict(life)))

    def _ask(self, life: str) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{life}\n")
        self._process.stdin.flush()
        code, seconds = self._process.stdout.readline().split()
        self.processor += float(seconds)
        return int(code)


@contextmanager
def zygote() -> Generator[Zygote]:
    """It belongs to no event loop: tests may share one. Its first life is not to be killed."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.crash.zygote"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Zygote(process)
        finally:
            process.kill()


@dataclass
class Case:
    """One job in a database of its own, with a key and a channel of its own."""

    folder: Path
    key: Key
    job: Job

    @property
    def database(self) -> str:
        return f"sqlite+aiosqlite:///{self.folder / 'studii.db'}"


@dataclass
class Worlds:
    """A Studii and a Discord that outlive the bot."""

    folder: Path
    studii: StudiiServer
    discord: DiscordRest
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def case(self, *, text: bool = False) -> Case:
        """A job that has just been accepted, its card standing in its channel."""
        number = next(self.numbers)
        folder = self.folder / str(number)
        await asyncio.to_thread(shutil.copytree, self.folder / "template", folder)
        key = self.studii.add_key("team")
        ids = {"guild_id": 100_000 + number, "channel_id": 200_000 + number}
        job = a_job(**ids) if text else a_staging_job(**ids)  # type: ignore[arg-type]
        job = replace(job, card_message_id=self.discord.put_card(job.channel_id))
        case = Case(folder, key, job)
        async with Storage.open(case.database) as storage:
            vault = Vault.open((), folder / "encryption.key")
            lane = (await LaneNames.open(storage, vault)).lane_of(key.secret)
            async with storage.write() as tx:
                at = job.created_at
                stored = await tx.keys.add(
                    job.guild_id, lane, key.hint, Plan.TEAM, vault.seal(key.secret), at
                )
                await tx.guilds.set_key(job.guild_id, stored.id, at)
                await tx.jobs.add(job)
                await tx.ledger.reserve(job, at)
        return case

    def life(self, case: Case, **options: Any) -> Life:
        return Life(str(case.folder), self.studii.url, self.discord.url, **options)

    async def wrong(self, case: Case, *, may_be_unknown: bool) -> tuple[Job, list[str]]:
        """The job, and what is not as it was promised, after the last life has ended by itself."""
        async with Storage.open(case.database) as storage, storage.read() as tx:
            job = await tx.jobs.get(case.job.id)
            kinds = [line.kind for line in await tx.ledger.entries(job_id=case.job.id)]
            complaints = await tx.audit.everything()
        assert job is not None
        submitted = [one for one in self.studii.jobs.values() if one.key is case.key]
        posted = [one for one in self.discord.in_channel(job.channel_id) if one.nonce is not None]
        if len(submitted) > 1:
            complaints.append(f"submitted {len(submitted)} times")
        if len(posted) != 1:
            complaints.append(f"its last word was posted {len(posted)} times")
        if kinds.count(EntryKind.RESERVE) != 1 or kinds.count(EntryKind.SETTLE) > 1:
            complaints.append(f"its lines in the ledger are {kinds}")
        match job.state:
            case JobState.UNKNOWN:
                if not may_be_unknown:
                    complaints.append("unknown, although it was known")
                if job.reserved != job.estimate or job.settled:
                    complaints.append("unknown, and its credits are not just reserved")
            case JobState.SUCCEEDED:
                spent = case.key.spent
                if len(submitted) != 1 or job.settled != spent or job.reserved:
                    complaints.append(f"settled {job.settled}, and Studii charged {spent}")
                if not await self._shown(submitted, posted):
                    complaints.append(NOT_WHOLE)
            case _:
                complaints.append(f"{job.state}: {job.failure} {job.failure_text}")
        return job, complaints

    async def _shown(self, submitted: Sequence[StudiiJob], posted: Sequence[Message]) -> bool:
        """Whether what Studii made of the job was posted, byte for byte."""
        made = [hashlib.sha256((await self.studii.output_of(one.id)).data).hexdigest() for one in submitted]
        return any(file.sha256 in made for one in posted for file in one.files.values())

    async def unheard(self, case: Case) -> bool:
        """Whether Studii has said 429 to it, of which nothing was noted."""
        if not self.studii.requests.of(key=case.key.hint, status=429):
            return False
        async with Storage.open(case.database) as storage, storage.read() as tx:
            key = await tx.keys.current(case.job.guild_id)
            return key is None or not await tx.lane_limits.of([key.lane])

    def hasty(self, case: Case) -> list[str]:
        """What Studii was asked before the time that it had named with a 429."""
        asked = [one for one in self.studii.requests.of(key=case.key.hint) if one.endpoint in COUNTED]
        complaints: list[str] = []
        for refused in asked:
            if not isinstance(refused.fault, Answer) or "Retry-After" not in refused.fault.headers:
                continue
            until = refused.monotonic + float(refused.fault.headers["Retry-After"])
            hasty = [one.endpoint for one in asked if refused.monotonic < one.monotonic < until]
            if hasty:
                complaints.append(f"asked before Retry-After had passed: {hasty}")
        return complaints

    async def drop(self, case: Case) -> None:
        """What is left of it is not needed any more."""
        self.discord.messages.clear()
        await asyncio.to_thread(shutil.rmtree, case.folder)

    @staticmethod
    async def state(case: Case) -> JobState:
        async with Storage.open(case.database) as storage, storage.read() as tx:
            job = await tx.jobs.get(case.job.id)
        assert job is not None
        return job.state


@asynccontextmanager
async def worlds(options: Options | None = None) -> AsyncGenerator[Worlds]:
    folder = _new_folder()
    try:
        await migrate(f"sqlite+aiosqlite:///{folder / 'template' / 'studii.db'}")
        options = options or Options(instant=True, long_side=64)
        async with StudiiServer(options) as studii, DiscordRest() as discord:
            yield Worlds(folder, studii, discord)
    finally:
        shutil.rmtree(folder)


def _new_folder() -> Path:
    """In memory where there is such a place: a killed process loses nothing that it had written there."""
    memory = Path("/dev/shm")  # noqa: S108
    folder = Path(mkdtemp(prefix="studii-crash-", dir=memory if memory.is_dir() else None))
    template = folder / "template"
    (template / "spool").mkdir(parents=True)
    (template / "photo.png").write_bytes(png())
    return folder
