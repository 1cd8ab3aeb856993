"""The record of what handlers of commands, buttons, forms and events give to functions of a session."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.catalog import Catalog
from bot.clock import Clock
from bot.db import Database
from bot.features.photo_rules import KnownPhotoRules
from bot.jobs.accept import Acceptor
from bot.jobs.models import Job
from bot.media.spool import OutputFile
from bot.servers.key_entry import KeyEntry
from bot.servers.privacy import Discard
from bot.vault import Vault


@dataclass(frozen=True, slots=True)
class Resources:
    """The database, and what is kept beside it.

    `open_file` opens a file in the spool by name, and `discard` removes some. Prompts are kept for `keep`.
    `fresh_link` returns the address of a job's output as Studii gives it now, or else the last one.
    """

    db: Database
    clock: Clock
    catalog: Catalog
    acceptance: Acceptor
    vault: Vault
    keys: KeyEntry
    photo_rules: KnownPhotoRules
    open_file: Callable[[str], Awaitable[OutputFile | None]]
    discard: Discard
    keep: timedelta
    fresh_link: Callable[[Job], Awaitable[str | None]]
