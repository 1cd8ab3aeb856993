"""Commands about the database's copies and place, keys and servers.

During `restore`, `restored`, `rotate-keys` and `move` the bot must not run; beside `backup`, `invite` and
`forget-servers` it may. `backup` and `restore` block: a signal raises KeyboardInterrupt.
"""

import asyncio
import os
import secrets
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from getpass import getpass
from itertools import count
from pathlib import Path
from typing import Literal, TextIO

import discord
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bot.cli.health import count_words
from bot.client.login import application_of, logged_in, was_removed
from bot.clock import SystemClock
from bot.cluster import IdentifyTurn, Membership, Process, Shard, WantedShards, membership
from bot.config import Settings, StorageSettings
from bot.connections import address_shown, used_once
from bot.credits import ledger
from bot.db import Database
from bot.errors import SettingsError
from bot.jobs import submission
from bot.migrate import migrate, schema_of
from bot.rows import metadata
from bot.servers import keys, privacy, settings as server_settings
from bot.sqlite_file import (
    AnotherInstance,
    copy_database,
    ensure_ours,
    fault_of,
    instance_lock,
    is_there,
    replace_database,
    sqlite_file,
    unwritable,
)
from bot.vault import Vault

# What the bot uses, and nothing else. Looking for its own last posting and at a replied-to photo is reading
# the history; offers are reactions, with a server's own emoji among them.
INVITE_PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    add_reactions=True,
    use_external_emojis=True,
)


@asynccontextmanager
async def bot_stopped(url: str, command: str, *, replaced: bool = False) -> AsyncGenerator[Membership]:
    """Keep the bot from starting during the block, on PostgreSQL as a process that holds all shards.

    `replaced`: see `instance_lock`. Raises `SettingsError` if the bot runs.
    """
    member = Membership()
    async with AsyncExitStack() as stack:
        try:
            if sqlite_file(url) is not None:
                await stack.enter_async_context(instance_lock(url, patience=0, replaced=replaced))
            else:
                await migrate(url)
                member = await stack.enter_async_context(membership(url, command, WantedShards()))
                if await member.others():
                    raise AnotherInstance  # noqa: TRY301 - as the lock of the other database does
                await member.stand_by()
        except AnotherInstance as error:
            raise SettingsError(
                "The bot is running on this database. Stop it first, then run this again. With compose: "
                f"`docker compose stop`, `docker compose run --rm studii {command}`, `docker compose up "
                "-d`."
            ) from error
        yield member


def key_place(settings: StorageSettings) -> str:
    """Return where the encryption key is, as a part of a sentence."""
    return (
        f"in {settings.keys_setting}"
        if settings.encryption_keys
        else f"in the file {settings.key_file.absolute()}"
    )


def vault_of(settings: StorageSettings) -> Vault:
    """Return the vault that the bot opens. Raises `SettingsError`."""
    return Vault.open(
        [key.reveal() for key in settings.encryption_keys], settings.key_file, settings.keys_setting
    )


async def rotate(settings: StorageSettings) -> str:
    """Seal all Studii keys with a new encryption key, and tell what to do with the old one.

    The new one is the first of ENCRYPTION_KEYS; without that setting, one is added to the key file, where the
    old ones stay for older backups. The bot must not run meanwhile: it would continue with the old one.
    Raises `SettingsError`.
    """
    url, path = settings.database_url, settings.key_file
    file = sqlite_file(url)
    if file is not None and not is_there(file):
        raise SettingsError(
            f"There is no database yet at {file}, so there are no keys to encrypt. Check DATABASE_URL."
        )
    async with bot_stopped(url, "rotate-keys") as member:
        await migrate(url)
        if not (settings.encryption_keys or is_there(path)):
            raise SettingsError(
                f"There is no encryption key at {path.absolute()}. Put its last copy back and run this "
                "again. Nothing was changed."
            )
        async with Database.open(url, fence=member) as db:
            unreadable = len(await db.write(_seal_anew, settings))
        if unreadable:
            raise SettingsError(
                f"{count_words(unreadable, 'Studii key was', 'Studii keys were')} not changed: an encryption "
                "key is missing. The others were kept. Put the missing one back and run this again, or ask "
                "the admins of those servers to enter their Studii keys again with /studii setup."
            )
    if not settings.encryption_keys:
        return (
            f"Done: all Studii keys are encrypted with a new key, the first line of {path.absolute()}. The "
            "other lines are older keys, which older backups need. Delete them when those backups are gone."
        )
    return (
        f"Done: all Studii keys are encrypted with the first key of {settings.keys_setting}. Remove the "
        f"other keys from it, and delete {path.absolute()} if it exists. Keep the old keys only as long as "
        "you keep backups from before."
    )


def _seal_anew(session: Session, settings: StorageSettings) -> list[int]:
    """Seal with a new key. It is in the file before anything is sealed with it, and only once the
    database is this program's to write: a try that has to give up leaves no key behind."""
    if not settings.encryption_keys:
        Vault.add_key(settings.key_file)
    return keys.reseal(session, vault_of(settings))


async def move(settings: StorageSettings, address: str) -> str:
    """Copy everything from the SQLite file of the settings to an empty PostgreSQL.

    Raises `SettingsError`, having changed nothing, if that isn't possible.
    """
    file = sqlite_file(settings.database_url)
    if file is None:
        raise SettingsError(
            "DATABASE_URL names a PostgreSQL already. Let it name the SQLite file to move from."
        )
    if not is_there(file):
        raise SettingsError(f"There is no database at {file}. Check DATABASE_URL. Nothing was changed.")
    target = _target(address)
    async with bot_stopped(settings.database_url, "move POSTGRESQL_URL"):
        await migrate(settings.database_url)
        async with bot_stopped(target.database_url, "move POSTGRESQL_URL"):
            moved = await copy_rows(settings.database_url, target.database_url)
    words = (
        f"Done: {count_words(sum(moved.values()), 'row', 'rows')} are in PostgreSQL, among them "
        f"{count_words(moved['jobs'], 'job', 'jobs')}. The sums of the ledger agree. "
        f"Set DATABASE_URL to the new address and start the bot. {file} is unchanged: keep it until you have "
        "checked that everything works."
    )
    if settings.folder != target.folder:
        words += f" Move {settings.key_file} and {settings.spool_folder} to {target.folder}/ first."
    return words


def with_password(address: str) -> str:
    """Return the address with the password that is typed, if nothing else has one. Blocks.

    PGPASSWORD and a password file (PGPASSFILE, ~/.pgpass) are read by the driver.
    """
    url = _target(address).database
    file = Path(os.environ.get("PGPASSFILE") or Path.home() / ".pgpass")
    known = url.password is not None or "PGPASSWORD" in os.environ or file.exists()
    if known or sys.stdin is None or not sys.stdin.isatty():
        return address
    word = getpass(f"Password of {url.username} for {url.database} (empty: none): ")
    return url.set(password=word or None).render_as_string(hide_password=False)


def _target(address: str) -> StorageSettings:
    try:
        target = StorageSettings.read(database_url=address)
    except SettingsError:  # it names the setting, which isn't what is wrong
        target = None
    if target is None or sqlite_file(target.database_url) is not None:
        raise SettingsError("Name a PostgreSQL to move to, such as postgresql://user@host/name.")
    return target


async def restored(settings: StorageSettings) -> str:
    """Make the jobs unknown that waited in a PostgreSQL backup, as `restore` has it done on SQLite.

    They may have been sent, made and charged after the backup. Raises `SettingsError` if the bot runs.
    """
    url = settings.database_url
    if sqlite_file(url) is not None:
        raise SettingsError("The database is SQLite. `restore FILE` does everything. Nothing was changed.")
    async with bot_stopped(url, "restored") as member, Database.open(url, fence=member) as db:
        waiting = await db.write(submission.doubt_waiting, SystemClock().now())
    return (
        f"{count_words(waiting, 'job', 'jobs')} waited in the backup and may have run and been charged "
        "since. They won't be sent to Studii again; the servers' admins can settle them with /jobs. Jobs "
        f"from after the backup are unknown now. The encryption key must be {key_place(settings)}. You can "
        "start the bot now."
    )


async def invitation(settings: Settings) -> str:
    """Return the URL with which an admin adds the bot to a server.

    Raises `SettingsError` if Discord refuses the token, `StudiiBotError` if Discord can't be reached.
    """
    application = await application_of(settings.discord_token.reveal(), settings.proxy)
    return discord.utils.oauth_url(application.id, permissions=INVITE_PERMISSIONS)


async def forget_servers(settings: Settings) -> str:
    """Erase the Studii keys of the servers that `doctor` names, if Discord still says that the bot is not in
    them, and let the rest of what is kept of them go as after any removal.

    Works while the bot runs, which takes notice within ten minutes. Raises `SettingsError`, and
    `StudiiBotError` if Discord can't be reached; nothing is changed then.
    """
    if not (await schema_of(settings.database_url)).current:
        raise SettingsError(
            "There is no database of this version yet. Start the bot once, then run this again."
        )
    async with Database.open(settings.database_url) as db:
        missing = await db.read(server_settings.missing)
        if not missing:
            return "There are no servers to forget. Nothing was changed."
        found: dict[bool | None, list[int]] = {}
        async with logged_in(settings.discord_token.reveal(), settings.proxy) as client:
            for guild_id in missing:
                removed = await was_removed(client, guild_id)
                found.setdefault(removed, []).append(guild_id)
                if removed:
                    await db.write(privacy.left, guild_id, SystemClock().now())
        await db.write(server_settings.set_missing, found.get(False, ()), None)
    told = {
        True: "Forgotten, and their Studii keys erased",
        False: "Kept, because the bot is still in these servers",
        None: "Kept, because Discord didn't answer for these servers (run this again)",
    }
    return "\n".join(
        f"{what}: {', '.join(map(str, found[one]))}." for one, what in told.items() if one in found
    )


PIPE = Path("-")  # standard input or output


def backup(settings: StorageSettings, target: Path) -> str:
    """Copy the database to a new file while the bot runs, check the copy, and say what else is needed.

    To `PIPE` it goes to standard output. Raises `SettingsError`; there is no file then.
    """
    source = _file(settings)
    if target != PIPE and is_there(target):
        raise SettingsError(f"{target} already exists and was not changed. Give another name.")
    if not is_there(source) or not source.stat().st_size:
        raise SettingsError(f"There is no database yet at {source}. Check DATABASE_URL.")
    ensure_ours(settings.database_url)
    opened_by = (
        "The servers' Studii keys in it are encrypted. Only the encryption key opens them. It is "
        f"{key_place(settings)}. Keep a copy of it separate from the backup. To restore it, stop the bot and "
        "run: python -m bot restore"
    )
    if target != PIPE:
        _copy(source, target)
        return f"The backup is in {target}. {opened_by} {target}"
    with _passing(source, "leaving") as passing:
        _copy(source, passing)
        _pipe(sys.stdout, "wb", passing)
    # A path of this machine means nothing in a container, and the other way round; a pipe works in both.
    return (
        f"The backup was written. {opened_by} - < FILE (with compose: docker compose run --rm -T studii "
        "restore - < FILE)"
    )


def restore(settings: StorageSettings, copy: Path) -> str:
    """Make a backup the database again; what is there now is kept beside it.

    `PIPE` is standard input. Raises `SettingsError` if the bot runs, or the file is no sound backup; nothing
    is changed then.
    """
    database = _file(settings)
    if is_there(copy) and is_there(database) and copy.samefile(database):
        raise SettingsError(f"{copy} is the database itself, not a backup. Nothing was changed.")
    ensure_ours(settings.database_url, replaced=True)
    if copy != PIPE:
        return _restore(settings, database, copy, str(copy))
    with _passing(database, "coming") as passing:
        _pipe(sys.stdin, "rb", passing)
        return _restore(settings, database, passing, "The backup from standard input")


def _restore(settings: StorageSettings, database: Path, copy: Path, name: str) -> str:
    if (fault := fault_of(copy)) is not None:
        raise SettingsError(f"{name} isn't a sound backup: it {fault}. Nothing was changed.")
    schema = asyncio.run(schema_of(f"sqlite+aiosqlite:///{copy}"))
    if not schema.known:
        newer = schema.revision is not None and schema.revision.isdecimal()
        whose = "a backup from a newer version of the bot" if newer else "not a backup of this bot"
        raise SettingsError(f"{name} is {whose}. Nothing was changed.")
    names = (database.with_name(f"{database.name}.replaced-{number}") for number in count(1))
    previous = next(one for one in names if not one.exists())
    try:
        was_there = asyncio.run(_replaced(settings.database_url, copy, database, previous))
    except (OSError, sqlite3.Error) as error:
        kept = is_there(previous) and not is_there(database)
        where = (
            f"Rename {previous} to {database}." if kept else f"Nothing was changed: {database} is as it was."
        )
        raise SettingsError(f"{name} couldn't be put in place ({error}). {where}") from error
    kept = (
        f" The previous database is in {previous}. Delete it when you no longer need it." if was_there else ""
    )
    return (
        f"{name} is now the database.{kept} Its encryption key must be {key_place(settings)}. "
        "Check with `python -m bot doctor`. Jobs that were waiting in the backup may have run and been "
        "charged since. They won't be sent to Studii again; the servers' admins can settle them with /jobs. "
        "Jobs from after the backup are unknown now. You can start the bot now."
    )


async def _replaced(url: str, copy: Path, database: Path, previous: Path) -> bool:
    async with bot_stopped(url, "restore FILE", replaced=True):
        return replace_database(copy, database, previous)


@contextmanager
def _passing(database: Path, word: str) -> Generator[Path]:
    """Name a file in a folder of its own on the database's disk, which is removed at the end."""
    place = next(one for one in database.absolute().parents if is_there(one))
    # It is named before it is made, so that what interrupts its making finds it.
    folder = place / f"{database.name}.{secrets.token_hex(4)}.{word}"
    try:
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            raise unwritable(database, error) from error
        yield folder / database.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    try:
        copy_database(source, target)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"The copy to {target} failed ({getattr(error, 'strerror', None) or error}). Nothing was kept. "
            "Name a place with room that the bot's user can write to, or use - to write the backup to "
            "standard output."
        ) from error
    if (fault := fault_of(target)) is not None:
        raise SettingsError(f"The copy in {target} {fault}. Don't rely on it: check the disk and try again.")


def _pipe(stream: TextIO | None, mode: Literal["rb", "wb"], file: Path) -> None:
    """Write the file to standard output, or read it from standard input."""
    out, arrow = mode == "wb", ">" if mode == "wb" else "<"
    if stream is None:
        raise SettingsError(
            f"Standard {'output' if out else 'input'} is closed. Name a file, or redirect it: - {arrow} FILE"
        )
    try:
        with file.open("rb" if out else "wb") as own, os.fdopen(stream.fileno(), mode, closefd=False) as pipe:
            shutil.copyfileobj(*(own, pipe) if out else (pipe, own))
    except OSError as error:
        raise SettingsError(
            f"The backup couldn't be written to standard output ({error.strerror})."
            if out
            else f"The backup from standard input couldn't be stored in {file} ({error.strerror})."
        ) from error


def _file(settings: StorageSettings) -> Path:
    path = sqlite_file(settings.database_url)
    if path is None:
        raise SettingsError(
            "The database is PostgreSQL. Back it up with pg_dump, and restore it with pg_restore; then run "
            "`python -m bot restored` before you start the bot."
        )
    return path


async def copy_rows(source: str, target: str) -> Counter[str]:
    """Copy all rows, or none, and check the ledger. Both have this version's tables.

    Return how many rows were copied, by table. Raises `SettingsError` if the target has rows,
    differs in the end, or can't be used.
    """
    copied = Counter[str]()
    async with used_once(source) as old, used_once(target, writes=True) as new, new.begin():
        await old.exec_driver_sql("BEGIN")
        of_processes = {one.__table__ for one in (Process, Shard, IdentifyTurn)}
        tables = [table for table in metadata.sorted_tables if table not in of_processes]
        for table in tables:
            if (await new.execute(select(table).limit(1))).first() is not None:
                raise SettingsError(
                    f"The database at {address_shown(target)} isn't empty: its table {table.name} has "
                    "rows. Name an empty one. Nothing was changed."
                )
        for table in tables:
            async with old.stream(select(table).order_by(*table.primary_key.columns)) as found:
                async for part in found.mappings().partitions(500):
                    await new.execute(insert(table), [dict(row) for row in part])
                    copied[table.name] += len(part)
            if (number := table.autoincrement_column) is not None:
                # The next number is one more than the last.
                sequence = func.pg_get_serial_sequence(table.name, number.name)
                last = select(func.max(number)).scalar_subquery()
                await new.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))
        if wrong := await new.run_sync(lambda connection: ledger.differing(Session(connection))):
            raise SettingsError(f"Nothing was changed, because the ledger's sums differ. {wrong[0]}")
    return copied


COMMANDS: Mapping[str, Callable[[str], str]] = {
    "backup": lambda file: backup(StorageSettings.read(), Path(file)),
    "restore": lambda file: restore(StorageSettings.read(), Path(file)),
    "invite": lambda _: asyncio.run(invitation(Settings.read())),
    "forget-servers": lambda _: asyncio.run(forget_servers(Settings.read())),
    "restored": lambda _: asyncio.run(restored(StorageSettings.read())),
    "move": lambda address: asyncio.run(move(StorageSettings.read(), with_password(address))),
    "rotate-keys": lambda _: asyncio.run(rotate(StorageSettings.read())),
}
"""What is said of each when it is done, with its argument."""
