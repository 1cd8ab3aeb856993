"""`python -m bot doctor`: would the bot start, and what should be looked at before it does?"""

import shutil
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.catalog import Catalog
from bot.client import application_of
from bot.clock import SystemClock
from bot.config import Settings
from bot.errors import StudiiBotError
from bot.operate.keys import KEY_FILE, vault_of
from bot.services import audit
from bot.storage import CannotDecrypt, Storage, Vault, schema_of, sqlite_file
from bot.studii import KeyRefused, StudiiClient

# Fixed there: a database that two connections write at once could lose what a checkpoint had just moved
# (sqlite.org, "Write-Ahead Logging", "The WAL-Reset Bug").
SOUND_SQLITE = (3, 51, 3)
MOST_WRONG = 6  # sentences
SUMS_AGREE = "Added up anew, by job, by server and by its present period: every sum agrees."
NO_KEY_OF_ANYONE = "stu_doctor_asks_whether_you_are_there"


class Verdict(StrEnum):
    """How a check came out; `STOPS` means that the bot would not start or not work."""

    GOOD = "ok"
    LOOK = "look"
    STOPS = "stops"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table."""

    what: str
    verdict: Verdict
    words: str


async def examine(settings: Settings) -> list[Finding]:
    """Check everything that the bot needs, without changing anything; safe beside a running bot."""
    checks: Sequence[tuple[str, Callable[[Settings], Awaitable[list[Finding]]]]] = (
        ("Discord", _discord),
        ("Catalogue", _catalogue),
        ("Encryption key", _encryption_key),
        ("Database", _database),
        ("SQLite", _sqlite),
        ("Disk", _disk),
        ("Studii", _studii),
    )
    found: list[Finding] = []
    for what, check in checks:
        try:
            found += await check(settings)
        except StudiiBotError as error:
            found.append(Finding(what, Verdict.STOPS, str(error)))
    return found


def show(findings: Sequence[Finding], console: Console) -> bool:
    """Print the table; whether the bot could start."""
    colours = {Verdict.GOOD: "green", Verdict.LOOK: "yellow", Verdict.STOPS: "red"}
    table = Table(show_lines=False)
    table.add_column("What", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Finding", overflow="fold")
    for one in findings:
        table.add_row(one.what, f"[{colours[one.verdict]}]{one.verdict}[/]", _escaped(one.words))
    console.print(table)
    return all(one.verdict is not Verdict.STOPS for one in findings)


def _escaped(words: str) -> str:
    return words.replace("[", "\\[")


async def _discord(settings: Settings) -> list[Finding]:
    application = await application_of(settings.discord_token.get_secret_value())
    found = [Finding("Discord", Verdict.GOOD, f"The token is {application.name}'s ({application.id}).")]
    flags = application.flags
    if flags.gateway_message_content or flags.gateway_message_content_limited:
        words = "Message content is switched on for the application."
        return [*found, Finding("Intents", Verdict.GOOD, words)]
    words = (
        "Message content is off: commands, menus and buttons work, reactions under members' photos do not. "
        "It is switched on at discord.com/developers/applications, Bot, Privileged Gateway Intents."
    )
    return [*found, Finding("Intents", Verdict.LOOK, words)]


async def _catalogue(settings: Settings) -> list[Finding]:
    catalog = Catalog.load(settings.studii_tools_file)
    where = settings.studii_tools_file or "the file that ships"
    return [Finding("Catalogue", Verdict.GOOD, f"{len(catalog.tools)} tools from {where}.")]


async def _encryption_key(settings: Settings) -> list[Finding]:
    path = settings.folder / KEY_FILE
    if not settings.encryption_keys and not path.exists():
        return [Finding("Encryption key", Verdict.LOOK, f"None yet; the first start makes {path}.")]
    vault = vault_of(settings)
    where = "ENCRYPTION_KEYS" if settings.encryption_keys else str(path)
    current, target = await schema_of(settings.database_url)
    unreadable = await _unreadable(settings, vault) if current == target else 0
    if unreadable:
        words = (
            f"{where} does not open the Studii keys of {unreadable} server(s): the bot starts and asks their "
            "admins to enter them again. Put the old encryption key back if you have it."
        )
        return [Finding("Encryption key", Verdict.LOOK, words)]
    return [Finding("Encryption key", Verdict.GOOD, f"{where}. Keep a copy apart from the backups.")]


async def _unreadable(settings: Settings, vault: Vault) -> int:
    async with Storage.open(settings.database_url) as storage, storage.read() as tx:
        keys = [key for key in await tx.keys.all() if key.retired_at is None]
    return sum(not _opens(vault, key.ciphertext) for key in keys)


def _opens(vault: Vault, sealed: bytes) -> bool:
    try:
        vault.unseal(sealed)
    except CannotDecrypt:
        return False
    return True


async def _database(settings: Settings) -> list[Finding]:
    current, target = await schema_of(settings.database_url)
    if current is None:
        return [Finding("Database", Verdict.LOOK, "It is empty; the first start makes its tables.")]
    if current > target:
        words = f"It was made by a newer version of the bot (schema {current}, we know {target})."
        return [Finding("Database", Verdict.STOPS, words)]
    if current != target:
        words = f"Schema {current}; the next start copies it and brings it to {target}."
        return [Finding("Database", Verdict.LOOK, words)]
    async with Storage.open(settings.database_url) as storage, storage.read() as tx:  # raises if read-only
        wrong = await audit(tx, SystemClock().now())
    found = [Finding("Database", Verdict.GOOD, f"Writable, schema {current}.")]
    if wrong:
        words = f"{len(wrong)} sums differ. {' '.join(wrong[:MOST_WRONG])}"
        return [*found, Finding("Ledger", Verdict.STOPS, words)]
    return [*found, Finding("Ledger", Verdict.GOOD, SUMS_AGREE)]


async def _sqlite(settings: Settings) -> list[Finding]:
    if sqlite_file(settings.database_url) is None:
        return []
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < SOUND_SQLITE:
        words = (
            f"Version {version} has the WAL-reset bug, which 3.51.3 mends: rarely, two connections writing "
            "at once can damage the file. The bot writes through one; keep other programs off the file while "
            "it runs, and keep backups."
        )
        return [Finding("SQLite", Verdict.LOOK, words)]
    return [Finding("SQLite", Verdict.GOOD, f"Version {version}.")]


async def _disk(settings: Settings) -> list[Finding]:
    folder = settings.folder.absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free // 1_000_000
    spool = Path(settings.folder) / "spool"
    used = sum(one.stat().st_size for one in spool.iterdir()) // 1_000_000 if spool.is_dir() else 0
    words = f"{free:,} MB free; photos and results on their way use {used:,} of {settings.spool_mb:,} MB."
    enough = free + used >= settings.spool_mb
    return [
        Finding(
            "Disk",
            Verdict.GOOD if enough else Verdict.LOOK,
            words if enough else f"{words} Lower SPOOL_MB or make room.",
        )
    ]


async def _studii(settings: Settings) -> list[Finding]:
    async with StudiiClient(settings.studii_api_url) as studii:
        try:
            # No server's key is used up for this: being refused is the answer that shows it is there.
            await studii.check_key(NO_KEY_OF_ANYONE)
        except KeyRefused:
            return [Finding("Studii", Verdict.GOOD, f"{settings.studii_api_url} answers.")]
        except StudiiBotError as error:
            words = f"{settings.studii_api_url}: {error} The bot starts all the same, and jobs wait."
            return [Finding("Studii", Verdict.LOOK, words)]
    words = f"{settings.studii_api_url} takes a key that nobody has: is this the right address?"
    return [Finding("Studii", Verdict.LOOK, words)]
