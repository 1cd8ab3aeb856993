"""The services on a database of their own, with what surrounds them in a test's hands."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bot.credits import prices
from bot.db import Database
from bot.domain.guilds import Period, Plan
from bot.errors import StudiiBotError
from bot.jobs import queries, transitions
from bot.jobs.models import Job, JobRequest, JobState
from bot.servers import keys
from bot.services import Services
from bot.vault import Vault
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.database import database
from tests.support.jobs import settle_job
from tests.support.services import accept, services_on

GUILD, OTHER_GUILD, CHANNEL, MEMBER = 100, 101, 200, 300
SECRET = "stu_0123456789abcdef0123456789abcdef01234567"
OTHER_SECRET = "stu_fedcba9876543210fedcba9876543210fedcba98"
MAX_SOURCE = 25_000_000  # bytes

PICTURE = JobRequest(
    GUILD,
    CHANNEL,
    MEMBER,
    "studio",
    {"source": "text", "prompt": "a house", "mode": "image", "quality": "standard"},
)


@dataclass
class StudiiDesk:
    """Stands in for the question that Studii is asked about a key; `verdict` is raised if there is one."""

    asked: list[str] = field(default_factory=list[str])
    verdict: StudiiBotError | None = None

    async def check(self, secret: str) -> None:
        self.asked.append(secret)
        if self.verdict is not None:
            raise self.verdict


@dataclass
class ServicesWorld:
    file: Path
    db: Database
    vault: Vault
    clock: FakeClock
    studii: StudiiDesk
    services: Services
    told: list[Mapping[Any, Any]]

    async def ready(self, guild_id: int = GUILD, *, daily: int | None = None) -> None:
        """Give the server a key, and a budget if one is named."""
        await self.services.keys.set_key(guild_id, SECRET, Plan.PRO)
        if daily is not None:
            await spending.set_budget(self.services, guild_id, daily, Period.DAY)
        self.told.clear()

    async def budget(self, limit: int, period: Period = Period.DAY) -> None:
        await spending.set_budget(self.services, GUILD, limit, period)

    async def accept(self, request: JobRequest = PICTURE, **changes: object) -> Job:
        return await accept(self.services.acceptance, replace(request, **changes))

    async def finish(self, job: Job, charge: int) -> None:
        """The job ends as failed and was charged so much."""
        await self.db.write(transitions.advance, job.id, job.state, JobState.FAILED, at=self.clock.now())
        await self.db.write(settle_job, job.id, charge, self.clock.now())

    async def learn(
        self, charge: int, variant: str = "mode=image quality=standard", tool: str = "studio"
    ) -> None:
        """The server's key was charged so much; what waits keeps its reservation."""
        key = await self.db.write(keys.current, GUILD)
        assert key is not None
        await self.db.write(prices.learn, key.lane, tool, variant, charge, self.clock.now())

    async def jobs(self) -> list[Job]:
        return await self.db.read(queries.in_states, list(JobState))


@asynccontextmanager
async def services_world(folder: Path) -> AsyncGenerator[ServicesWorld, None]:
    """Build the services on a new SQLite file in the folder."""
    url = await database(folder)
    told = list[Mapping[Any, Any]]()
    async with Database.open(url) as db:
        clock, studii = FakeClock(), StudiiDesk()
        services = await services_on(
            db,
            folder,
            clock,
            check_key=studii.check,
            max_source_bytes=MAX_SOURCE,
        )
        vault = Vault.open((), folder / "encryption.key")
        with db.listening(told.append):
            yield ServicesWorld(folder / "studii.db", db, vault, clock, studii, services, told)
