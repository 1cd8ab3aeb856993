"""Doctor's checks of the database: schema, integrity, ledger, and the encrypted keys."""

import asyncio
import sqlite3

from bot.cli.checks_machine import no_room_for_a_copy
from bot.cli.output import Finding, Verdict
from bot.cli.stopped import vault_of
from bot.config import Settings
from bot.credits import ledger
from bot.db_failures import UNUSABLE, usable_database
from bot.errors import SettingsError
from bot.migrate import foreign, schema_of
from bot.servers import keys as server_keys, settings as server_settings
from bot.services import count_words
from bot.sqlite_file import ensure_ours, fault_of, is_there, sqlite_file
from bot.storage import Storage, Transaction

MAX_LISTED_FAULTS = 6  # sentences
WRITE_CHECK_SECONDS = 5.0  # in which another program lets us write; a running bot writes for milliseconds
SUMS_AGREE = "Recalculated by job, by server and by current period: all sums agree."


async def encryption_key(settings: Settings) -> list[Finding]:
    """Check that the encryption key exists and decrypts the stored Studii keys."""
    path, url, sealed = settings.key_file, settings.database_url, list[bytes]()
    try:
        if (await schema_of(url)).current:
            async with (
                Storage.open(url, patience=WRITE_CHECK_SECONDS) as storage,
                storage.read() as transaction,
            ):
                sealed = [
                    one.ciphertext
                    for one in await transaction.run(server_keys.stored)
                    if one.retired_at is None
                ]
    except (SettingsError, *UNUSABLE):
        pass  # the check of the database tells why it can't be read
    verdict, words = Verdict.WARN, f"None yet. The first start makes {path}."
    if settings.encryption_keys or is_there(path):
        where = settings.keys_setting.partition(" ")[0] if settings.encryption_keys else str(path)
        vault = vault_of(settings)
        if unreadable := sum(not vault.opens(one) for one in sealed):
            servers = count_words(unreadable, "server", "servers")
            words = (
                f"{where} doesn't open the Studii keys of {servers}. Put the old encryption key back if "
                "you have it. Otherwise the bot starts, and admins must enter their keys again."
            )
        else:
            verdict, words = Verdict.GOOD, f"{where}. Keep a copy separate from the backups."
    elif sealed:
        one = "the Studii key of 1 server is"
        keys = one if len(sealed) == 1 else f"the Studii keys of {len(sealed)} servers are"
        words = (
            f"{path.absolute()} is missing, and {keys} encrypted with it. Put it back. Otherwise the next "
            "start makes a new one, and admins must enter their Studii keys again."
        )
    return [Finding("Encryption key", verdict, words)]


async def database(settings: Settings) -> list[Finding]:
    """Check that the database is the bot's, sound and writable, and that the ledger's sums agree."""
    url = settings.database_url
    path = sqlite_file(url)
    if path is not None:
        await asyncio.to_thread(ensure_ours, url)
    schema = await schema_of(url)
    if wrong := foreign(schema, path):
        return [Finding("Database", Verdict.STOPS, f"The database {wrong}")]
    if schema.revision is None:
        return [Finding("Database", Verdict.WARN, "Empty. The first start creates its tables.")]
    if path is not None and (fault := await asyncio.to_thread(fault_of, path)):
        words = f"{path} {fault}. Restore a backup (python -m bot restore FILE)."
        return [Finding("Database", Verdict.STOPS, words)]
    if not schema.current:
        words = f"Schema {schema.revision}. The next start "
        if path is None:
            words += f"upgrades it to {schema.target}. Back it up with pg_dump first."
            return [Finding("Database", Verdict.WARN, words)]
        no_room = no_room_for_a_copy(path)
        words += f"copies the database and upgrades it to {schema.target}. {no_room or ''}"
        return [Finding("Database", Verdict.STOPS if no_room else Verdict.WARN, words)]
    async with Storage.open(url, patience=WRITE_CHECK_SECONDS) as storage:  # raises if it can't be written
        with usable_database(url):
            async with storage.read() as transaction:
                found = [Finding("Database", Verdict.GOOD, f"Writable, schema {schema.revision}.")]
                return [*found, *await _content(transaction)]


async def sqlite(settings: Settings) -> list[Finding]:
    """Name SQLite's version.

    Before 3.51.3 SQLite can lose what two connections write at once (its "WAL-reset bug"). The bot writes
    through one, so no version is warned of.
    """
    if sqlite_file(settings.database_url) is None:
        return []
    return [Finding("SQLite", Verdict.GOOD, f"Version {sqlite3.sqlite_version}.")]


async def _content(transaction: Transaction) -> list[Finding]:
    """Check the ledger, for rows that can't be read, and for servers that may have removed the bot."""
    wrong = await transaction.run(ledger.differing)
    found = [Finding("Ledger", Verdict.GOOD, SUMS_AGREE)]
    if wrong:
        words = f"{len(wrong)} sums differ. {' '.join(wrong[:MAX_LISTED_FAULTS])}"
        found = [Finding("Ledger", Verdict.STOPS, words)]
    if rows := await transaction.unreadable.names():
        named = ", ".join(rows[:MAX_LISTED_FAULTS]) + (", …" if len(rows) > MAX_LISTED_FAULTS else "")
        words = (
            f"{count_words(len(rows), 'row', 'rows')} can't be read: {named}. The bot skips them. A job "
            "among them doesn't continue, and its credits stay reserved. A server among them can spend "
            "nothing until its admins set its budget. Repair them with the bot stopped, or restore a backup "
            "(python -m bot restore FILE)."
        )
        found.append(Finding("Rows", Verdict.WARN, words))
    if missing := await transaction.run(server_settings.missing):
        words = (
            f"Discord reports that {len(missing)} servers removed the bot, too many at once to be "
            f"sure: {', '.join(map(str, missing))}. Their Studii keys are kept, and their waiting jobs "
            "are not sent. If the report is right, run: python -m bot forget-servers"
        )
        found.append(Finding("Servers", Verdict.WARN, words))
    return found
