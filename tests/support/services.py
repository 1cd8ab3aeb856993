"""The services of a test: those of the bot, on the test's database, folder and clock."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from bot.catalog import Catalog
from bot.clock import Clock
from bot.db import Database
from bot.domain.guilds import Plan
from bot.features.photo_rules import KnownPhotoRules
from bot.jobs import actions
from bot.jobs.accept import Acceptor
from bot.jobs.models import Job, JobRequest
from bot.media.spool import Spool
from bot.servers import keys, privacy, settings
from bot.servers.key_entry import KeyEntry
from bot.servers.keys import StudiiKey
from bot.services import Services
from bot.vault import LaneNames, Vault, lane_names

KEEP_DAYS = 90
SPOOL_BYTES = 100_000_000
MAX_SOURCE_BYTES = 10_000_000


async def believe(_: str) -> None:
    """Take any key for a good one."""


async def accept(acceptance: Acceptor, request: JobRequest) -> Job:
    """Let the service accept one job, as a command does."""
    (job,) = await acceptance.accept_all([request])
    return job


async def sweep(services: Services) -> None:
    """Erase data whose retention has ended, as the bot does once a day."""
    await privacy.sweep(services.db, services.discard, services.clock.now(), services.keep)


async def erase(services: Services, user_id: int) -> None:
    """Erase a member's data in every server, as `/forget-me` does."""
    await privacy.erase_member(services.db, services.discard, user_id, services.clock.now())


async def services_on(
    db: Database,
    folder: Path,
    clock: Clock,
    *,
    catalog: Catalog | None = None,
    check_key: Callable[[str], Awaitable[None]] = believe,
    max_source_bytes: int = MAX_SOURCE_BYTES,
) -> Services:
    """Build them with an encryption key and a spool in `folder`."""
    vault = Vault.open((), folder / "encryption.key")
    lanes = await db.write(lane_names, vault)
    return services_with(
        db,
        vault,
        lanes,
        Spool(folder / "spool", SPOOL_BYTES),
        clock,
        catalog=catalog,
        check_key=check_key,
        max_source_bytes=max_source_bytes,
    )


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
    await db.write(settings.set_key, guild_id, stored.id)
    return stored


async def last_link(job: Job) -> str | None:
    """Without an engine, there is no newer address of an output than the last."""
    return job.output_url


def services_with(
    db: Database,
    vault: Vault,
    lanes: LaneNames,
    spool: Spool,
    clock: Clock,
    *,
    catalog: Catalog | None = None,
    check_key: Callable[[str], Awaitable[None]] = believe,
    max_source_bytes: int = MAX_SOURCE_BYTES,
) -> Services:
    """Build them as `bot.app` does, on what a test has already."""
    db, catalog = db, catalog or Catalog.load()
    return Services(
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
    services: Services, job_id: str, guild_id: int, user_id: int, *, moderates: bool = False
) -> Job:
    """Cancel a job, as its button does."""
    which = (job_id, guild_id, user_id, services.clock.now())
    return actions.ensure_cancelled(await services.db.write(actions.cancel, *which, moderates=moderates))


async def rule(services: Services, guild_id: int, job_id: str, charge: int | None) -> Job:
    """Rule on a job of unknown outcome, as the buttons do."""
    return await services.db.write(actions.rule, guild_id, job_id, charge, services.clock.now())
