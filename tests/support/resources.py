"""What tests use of the bot: its resources on a database of their own, and what surrounds them."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bot.catalog import Catalog
from bot.clock import Clock
from bot.credits import prices
from bot.db import Database
from bot.errors import StudiiBotError
from bot.features.photo_rules import KnownPhotoRules
from bot.jobs import actions, queries, transitions
from bot.jobs.accept import Acceptor
from bot.jobs.models import Job, JobRequest, JobState
from bot.media.spool import Spool
from bot.resources import Resources
from bot.servers import keys, privacy, settings
from bot.servers.key_entry import KeyEntry
from bot.servers.keys import Plan, StudiiKey
from bot.servers.settings import Period
from bot.vault import LaneNames, Vault, lane_names
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.database import database
from tests.support.jobs import settle_job

KEEP_DAYS = 90
SPOOL_BYTES = 100_000_000
MAX_SOURCE_BYTES = 10_000_000


async def believe(_: str) -> None:
    """Take any key for a good one."""


async def accept(acceptance: Acceptor, request: JobRequest) -> Job:
    """Let one job be accepted, as a command does."""
    (job,) = await acceptance.accept_all([request])
    return job


async def sweep(resources: Resources) -> None:
    """Erase data whose retention has ended, as the bot does once a day."""
    await privacy.sweep(resources.db, resources.discard, resources.clock.now(), resources.keep)


async def erase(resources: Resources, user_id: int) -> None:
    """Erase a member's data in every server, as `/settings` does."""
    await privacy.erase_member(resources.db, resources.discard, user_id, resources.clock.now())


async def resources_on(
    db: Database,
    folder: Path,
    clock: Clock,
    **more: Any,
) -> Resources:
    """Build them with an encryption key and a spool in `folder`, as `resources_with` does with the others."""
    vault = Vault.open((), folder / "encryption.key")
    lanes = await db.write(lane_names, vault)
    return resources_with(db, vault, lanes, Spool(folder / "spool", SPOOL_BYTES), clock, **more)


async def store_key(
    db: Database,
    vault: Vault,
    guild_id: int,
    secret: str,
    plan: Plan,
    at: datetime,
    lanes: LaneNames | None = None,
) -> StudiiKey:
    """Make it the server's key, as its admin does, without asking Studii about it."""
    lanes = lanes or await db.write(lane_names, vault)
    new = guild_id, lanes(secret), secret[-4:], plan, vault.seal(secret), at
    stored = await db.write(keys.add, *new)
    await db.write(settings.change, guild_id, key_id=stored.id)
    return stored


async def last_link(job: Job) -> str | None:
    """Without an engine, there is no newer address of an output than the last."""
    return job.output_url


def resources_with(
    db: Database,
    vault: Vault,
    lanes: LaneNames,
    spool: Spool,
    clock: Clock,
    *,
    catalog: Catalog | None = None,
    check_key: Callable[[str], Awaitable[None]] = believe,
    max_source_bytes: int = MAX_SOURCE_BYTES,
) -> Resources:
    """Build them as `bot.app` does, on what a test has already."""
    catalog = catalog or Catalog.load()
    return Resources(
        db,
        clock,
        catalog,
        Acceptor(db, catalog, clock, max_source_bytes=max_source_bytes),
        vault,
        KeyEntry(db, clock, catalog, vault, lanes, check_key),
        KnownPhotoRules(db, catalog),
        spool.open_output,
        spool.remove,
        timedelta(days=KEEP_DAYS),
        last_link,
    )


async def cancel(
    resources: Resources, job_id: str, guild_id: int, user_id: int, *, moderates: bool = False
) -> Job:
    """Cancel a job, as its button does."""
    which = (job_id, guild_id, user_id, resources.clock.now())
    return actions.ensure_cancelled(await resources.db.write(actions.cancel, *which, moderates=moderates))


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
class ResourcesWorld:
    file: Path
    db: Database
    vault: Vault
    clock: FakeClock
    studii: StudiiDesk
    resources: Resources
    told: list[Mapping[Any, Any]]

    async def ready(self, guild_id: int = GUILD, *, daily: int | None = None) -> None:
        """Give the server a key, and a budget if one is named."""
        await self.resources.keys.set_key(guild_id, SECRET, Plan.PRO)
        if daily is not None:
            await spending.set_budget(self.resources, guild_id, daily, Period.DAY)
        self.told.clear()

    async def budget(self, limit: int, period: Period = Period.DAY) -> None:
        await spending.set_budget(self.resources, GUILD, limit, period)

    async def accept(self, request: JobRequest = PICTURE, **changes: object) -> Job:
        return await accept(self.resources.acceptance, replace(request, **changes))

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
async def resources_world(folder: Path) -> AsyncGenerator[ResourcesWorld, None]:
    """Build the resources on a new SQLite file in the folder."""
    url = await database(folder)
    told = list[Mapping[Any, Any]]()
    async with Database.open(url) as db:
        clock, studii = FakeClock(), StudiiDesk()
        resources = await resources_on(
            db,
            folder,
            clock,
            check_key=studii.check,
            max_source_bytes=MAX_SOURCE,
        )
        vault = Vault.open((), folder / "encryption.key")
        with db.listening(told.append):
            yield ResourcesWorld(folder / "studii.db", db, vault, clock, studii, resources, told)
