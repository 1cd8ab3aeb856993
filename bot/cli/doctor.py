"""`python -m bot doctor`: find what a start doesn't say, and what is wrong although the bot runs."""

import asyncio
import os
import platform
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from traceback import extract_tb
from typing import NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text
from sqlalchemy.orm import Session

from bot.aio.net import Connector
from bot.catalog import Catalog
from bot.cli.health import count_words, not_opened
from bot.cli.maintenance import vault_of
from bot.client.login import application_of
from bot.cluster import all_processes, all_shards
from bot.config import MEGABYTE, Settings
from bot.connections import UNUSABLE, usable_database
from bot.credits import ledger
from bot.db import Database
from bot.errors import SettingsError, StudiiBotError
from bot.media.pool import DecoderPool
from bot.media.spool import file_sizes
from bot.migrate import foreign, schema_of
from bot.servers import keys, settings as server_settings
from bot.sqlite_file import ensure_ours, ensure_sound, is_there, sqlite_file
from bot.studii import KeyRefused, NotSent, StudiiClient
from bot.ui.kit.reasons import error_words
from bot.version import VERSION

MIN_FREE_BYTES = 10 * MEGABYTE  # for the database's log and what is written to it, or for a photo
WRITE_CHECK_SECONDS = 5.0  # in which another program lets us write; a running bot writes for milliseconds


# With a check that "stops", the bot would not start or not work; "look" is for an operator to look into.
GOOD, WARN, STOPS = "ok", "look", "stops"


class Finding(NamedTuple):
    """One line of the table."""

    what: str
    verdict: str
    words: str


_COLOURS = {GOOD: "green", WARN: "yellow", STOPS: "red"}
Findings = AsyncGenerator[Finding]


async def examine(settings: Settings) -> list[Finding]:
    """Check everything, without changing anything; safe beside a running bot."""
    found = list(of_settings())
    for what, check in CHECKS.items():
        try:
            found += [one async for one in check(settings)]
        except StudiiBotError as error:
            # What is in the way of several checks is told once.
            if all(str(error) != one.words for one in found):
                found.append(Finding(what, STOPS, str(error)))
        except Exception as error:  # noqa: BLE001 - one check's fault hides no other's finding
            # The type and the line that raised it, as the error's own text may contain a password.
            last = extract_tb(error.__traceback__)[-1]
            where = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
            unexpected = f"This check failed unexpectedly ({where}). Please report it."
            found.append(Finding(what, STOPS, not_opened(error) or unexpected))
    return found


def show(findings: Sequence[Finding]) -> bool:
    """Print the table. Return whether nothing was found that stops the bot."""
    table = Table(show_lines=False)
    for heading in ("Check", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column("Finding", overflow="fold")
    for one in findings:
        table.add_row(one.what, Text(one.verdict, _COLOURS[one.verdict]), Text(one.words))
    Console().print(table)
    return all(one.verdict != STOPS for one in findings)


def of_settings() -> Iterator[Finding]:
    """Say where the settings, which are right, come from, and whether others can read `.env`."""
    file = Path(".env").absolute()
    there = f"{file} and the environment" if file.exists() else f"the environment; {file} doesn't exist"
    yield Finding(
        "Settings",
        GOOD,
        f"From {there}. Studii for Discord {VERSION}, Python {platform.python_version()}.",
    )
    if os.name == "posix" and file.is_file() and file.stat().st_mode & 0o077:
        yield Finding(
            ".env",
            WARN,
            f"Other users can read or change {file}, which can hold secrets. Run: chmod 600 {file}",
        )


async def tools(settings: Settings) -> Findings:
    """Check the operator's own catalogue, as a start does."""
    if (file := settings.studii_tools_file) is not None:
        yield Finding("Tools", GOOD, f"{len(Catalog.load(file).tools)} in {file}.")


async def discord(settings: Settings) -> Findings:
    """Check the token and the clock."""
    application = await application_of(settings.discord_token.reveal(), settings.proxy)
    yield Finding("Discord", GOOD, f"The token belongs to {application.name} ({application.id}).")
    if (ahead := application.clock_ahead) is not None and abs(ahead) <= 30.0:  # seconds
        yield Finding("Clock", GOOD, "It agrees with Discord's.")
    elif ahead is not None:
        yield Finding(
            "Clock",
            WARN,
            f"This machine's clock is {abs(ahead):,.0f} seconds {'ahead of' if ahead > 0 else 'behind'} "
            "Discord's. "
            "Budget periods start at the wrong time, and links expire too early or too late. Let the system "
            "set the clock from the network (timedatectl set-ntp true).",
        )


async def disk_space(settings: Settings) -> Findings:
    """Check that there is room for the database and the spool, each of which may have a disk of its own."""
    folder, spool = _nearest(settings.folder), _nearest(settings.spool_folder)
    used = sum(file_sizes(spool).values()) if settings.spool_folder.is_dir() else 0
    places = {"Disk": folder}
    if spool.stat().st_dev != folder.stat().st_dev:
        places["Spool"] = spool
    for what, place in places.items():
        free, verdict, advice = shutil.disk_usage(place).free, GOOD, ""
        if free < MIN_FREE_BYTES:
            verdict = STOPS
            advice = f" The bot needs at least {MIN_FREE_BYTES // MEGABYTE} MB. Free some space on that disk."
        elif place == places.get("Spool", folder) and free < settings.spool_mb * MEGABYTE - used:
            verdict, advice = WARN, " Lower SPOOL_MB or free some space."
        yield Finding(
            what,
            verdict,
            f"{free // MEGABYTE:,} MB free on the disk of {place}. Photos and results being processed use "
            f"{used // MEGABYTE:,} of {settings.spool_mb:,} MB.{advice}",
        )


def _nearest(path: Path) -> Path:
    """Return the path, or its nearest parent that exists. Unlike Path's, os.path's `exists` never raises."""
    whole = path.absolute()
    return next(one for one in (whole, *whole.parents) if os.path.exists(one))  # noqa: PTH110


async def processes(settings: Settings) -> Findings:
    """List the processes that share a PostgreSQL, the shards of each, and those that no process serves."""
    url = settings.database_url
    if sqlite_file(url) is not None:
        return
    if not (await schema_of(url)).current:
        yield Finding("Bot", GOOD, "No bot of this version is running on this database.")
        return
    async with Database.open(url) as db:
        known, shards = await db.read(all_processes), await db.read(all_shards)
    free = [str(one) for one, held in shards.items() if not held]
    for one in known:
        who = f"{one.name} (number {one.epoch}, version {one.version})"
        told = f"has stood by since {one.started_at:%Y-%m-%d %H:%M:%S} UTC"
        if not one.alive:
            told = "has ended without giving its shards back"
        elif one.since is not None:
            told = (
                f"has served shards {', '.join(map(str, one.shards))} of {len(shards)} since "
                f"{one.since:%Y-%m-%d %H:%M:%S} UTC"
            )
        yield Finding("Process", GOOD if one.alive else WARN, f"{who} {told}.")
    if not any(one.alive for one in known):
        yield Finding("Bot", GOOD, "No bot is running on this database.")
    elif free:
        yield Finding(
            "Shards",
            STOPS,
            f"No process serves shards {', '.join(free)} of {len(shards)}, so the servers there "
            "get no answer. Start another process, or raise SHARDS_PER_PROCESS.",
        )


async def encryption_key(settings: Settings) -> Findings:
    """Check that the encryption key exists and decrypts the stored Studii keys."""
    path, url, sealed = settings.key_file, settings.database_url, list[bytes]()
    # The check of the database tells why it can't be read.
    with suppress(SettingsError, *UNUSABLE):
        if (await schema_of(url)).current:
            async with Database.open(url, patience=WRITE_CHECK_SECONDS) as db:
                sealed = [one.ciphertext for one in await db.read(keys.stored) if one.retired_at is None]
    if not settings.encryption_keys and not is_there(path):
        yield Finding(
            "Encryption key",
            WARN,
            f"{path.absolute()} is missing, which opens "
            f"{count_words(len(sealed), 'Studii key', 'Studii keys')} in the database. Put it back. "
            "Otherwise the next start makes a new one, and admins must enter their Studii keys again."
            if sealed
            else f"None yet. The first start makes {path}.",
        )
        return
    where = settings.keys_setting.partition(" ")[0] if settings.encryption_keys else str(path)
    vault = vault_of(settings)
    if unreadable := sum(not vault.opens(one) for one in sealed):
        yield Finding(
            "Encryption key",
            WARN,
            f"{where} doesn't open the Studii keys of {count_words(unreadable, 'server', 'servers')}. Put "
            "the old encryption key back if you have it. Otherwise the bot starts, and admins must enter "
            "their keys again.",
        )
    else:
        yield Finding("Encryption key", GOOD, f"{where}. Keep a copy separate from the backups.")


async def database(settings: Settings) -> Findings:
    """Check that the database is the bot's, sound and writable, and what is in it."""
    url = settings.database_url
    path = sqlite_file(url)
    await asyncio.to_thread(ensure_ours, url)
    schema = await schema_of(url)
    if wrong := foreign(schema, path):
        raise SettingsError(f"The database {wrong}")
    if schema.revision is None:
        yield Finding("Database", WARN, "Empty. The first start creates its tables.")
        return
    await asyncio.to_thread(ensure_sound, url)
    if not schema.current:
        after = ", after a copy." if path is not None else ". Back it up with pg_dump first."
        yield Finding(
            "Database",
            WARN,
            f"Schema {schema.revision}. The next start upgrades it to {schema.target}{after}",
        )
        return
    async with Database.open(url, patience=WRITE_CHECK_SECONDS) as db:  # raises if it can't be written
        with usable_database(url):
            content = await db.read(_content)
    yield Finding("Database", GOOD, f"Writable, schema {schema.revision}.")
    for one in content:
        yield one


def _content(session: Session) -> list[Finding]:
    """Check the ledger, and for servers that may have removed the bot."""
    found = [Finding("Ledger", GOOD, "Recalculated job by job: all sums agree.")]
    if wrong := ledger.differing(session):
        found = [
            Finding(
                "Ledger",
                STOPS,
                f"The sums of {count_words(len(wrong), 'job differ', 'jobs differ')}. {' '.join(wrong[:6])}",
            )
        ]
    if missing := server_settings.missing(session):
        found.append(
            Finding(
                "Servers",
                WARN,
                f"Discord reports that {len(missing)} servers removed the bot, too many at once to be "
                f"sure: {', '.join(map(str, missing))}. Their Studii keys are kept, and their waiting jobs "
                "are not sent. If the report is right, run: python -m bot forget-servers",
            )
        )
    return found


async def pictures(_: Settings) -> Findings:
    """Check that a decoder starts, and that the system can limit the resources it uses."""
    try:
        async with DecoderPool() as decoder:
            missing = await decoder.missing()
    except OSError as error:
        yield Finding(
            "Pictures",
            STOPS,
            f"Pictures can't be opened: {error.strerror or error}. No photo will work until that is fixed.",
        )
        return
    if missing:
        yield Finding(
            "Pictures",
            WARN,
            f"This system can't limit the {' and '.join(missing)} of a process. The bot works, but a "
            "hostile picture can use more than it should until it times out. Linux has these limits.",
        )
    else:
        yield Finding(
            "Pictures", GOOD, "Opened in processes with limited memory, processor time and duration."
        )


async def studii(settings: Settings) -> Findings:
    """Check that the API answers."""
    where = settings.studii_api_url
    async with StudiiClient(where, connect=partial(Connector, settings.proxy)) as client:
        try:
            # No server's key is used up for this: being refused is the answer that shows it is there.
            await client.check_key("stu_doctor_asks_whether_you_are_there")
        except KeyRefused:
            yield Finding("Studii", GOOD, f"{where} answers.")
        except StudiiBotError as error:
            reason = error.reason if isinstance(error, NotSent) else ""
            reason = reason or error_words(error).split(". ")[0].rstrip(".")
            yield Finding(
                "Studii",
                WARN,
                f"{where} can't be reached ({reason}). Check STUDII_API_URL and this machine's "
                "network. The bot starts anyway, and jobs wait.",
            )
        else:
            yield Finding(
                "Studii", WARN, f"{where} accepts an invalid key. Check that STUDII_API_URL is right."
            )


CHECKS: Mapping[str, Callable[[Settings], Findings]] = {
    "Tools": tools,
    "Discord": discord,
    "Disk": disk_space,
    "Processes": processes,
    "Encryption key": encryption_key,
    "Database": database,
    "Pictures": pictures,
    "Studii": studii,
}
