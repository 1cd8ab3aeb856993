"""Build all services."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.catalog import Catalog
from bot.clock import Clock
from bot.db import Database
from bot.features.photo_rules import KnownPhotoRules
from bot.jobs.accept import Acceptor
from bot.media.spool import OutputFile
from bot.servers.key_entry import KeyEntry
from bot.servers.privacy import Discard
from bot.services.posting import BestService
from bot.storage import Storage
from bot.vault import LaneNames, Vault


@dataclass(frozen=True, slots=True)
class Services:
    """One service for each subject, and what functions of a session are given."""

    db: Database
    clock: Clock
    catalog: Catalog
    acceptance: Acceptor
    vault: Vault
    keys: KeyEntry
    photo_rules: KnownPhotoRules
    best: BestService
    open_file: Callable[[str], Awaitable[OutputFile | None]]
    discard: Discard
    keep: timedelta


# Long: a line for each service.
def build_services(
    storage: Storage,
    vault: Vault,
    lanes: LaneNames,
    catalog: Catalog,
    clock: Clock,
    *,
    check_key: Callable[[str], Awaitable[None]],
    discard: Discard,
    open_file: Callable[[str], Awaitable[OutputFile | None]],
    max_source_bytes: int,
    keep_days: int,
) -> Services:
    """Build all services.

    `check_key` raises `KeyRefused` for a key that Studii refuses. `discard` removes files from the spool by
    name, `open_file` opens one. `keep_days` is how long prompts are kept. `storage` notifies the engine of
    what they change.
    """
    return Services(
        db=storage.db,
        clock=clock,
        catalog=catalog,
        acceptance=Acceptor(storage.db, catalog, clock, max_source_bytes=max_source_bytes),
        vault=vault,
        keys=KeyEntry(storage.db, clock, catalog, vault, lanes, check_key),
        photo_rules=KnownPhotoRules(storage.db, catalog),
        best=BestService(storage, clock),
        open_file=open_file,
        discard=discard,
        keep=timedelta(days=keep_days),
    )
