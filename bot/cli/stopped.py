"""Commands about keys, the database's place and servers.

During `rotate-keys`, `move POSTGRESQL_URL` and `restored` the bot must not run; beside `invite` and
`forget-servers` it may.
"""

import os
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from getpass import getpass
from pathlib import Path

import discord
from cryptography.fernet import Fernet

from bot.client.login import application_of, logged_in, was_removed
from bot.clock import SystemClock
from bot.cluster import Membership, WantedShards, membership
from bot.config import Settings, StorageSettings
from bot.db import Database
from bot.errors import SettingsError
from bot.features.wording import count_words
from bot.jobs import submission
from bot.migrate import migrate, schema_of
from bot.move import copy_rows
from bot.servers import keys, privacy, settings as server_settings
from bot.sqlite_file import AnotherInstance, instance_lock, is_there, private_file, sqlite_file, unused
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

    async def one() -> int:
        return 1

    member = Membership()
    async with AsyncExitStack() as stack:
        try:
            if sqlite_file(url) is not None:
                await stack.enter_async_context(instance_lock(url, patience=0, replaced=replaced))
            else:
                await migrate(url)
                member = await stack.enter_async_context(membership(url, command, WantedShards(one)))
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
    if settings.encryption_keys_file is not None:
        return f"in {settings.encryption_keys_file.absolute()} (ENCRYPTION_KEYS_FILE)"
    if settings.encryption_keys:
        return "in ENCRYPTION_KEYS (your environment or .env)"
    return f"in the file {settings.key_file.absolute()}"


def vault_of(settings: StorageSettings) -> Vault:
    """Return the vault that the bot opens. Raises `SettingsError`."""
    keys = tuple(key.reveal() for key in settings.encryption_keys)
    return Vault.open(keys, settings.key_file, settings.keys_setting)


async def rotate(settings: StorageSettings) -> str:
    """Seal all Studii keys with a new encryption key, and tell what to do with the old one.

    The new one is the first of ENCRYPTION_KEYS; without that setting, one is added to the key file. The bot
    must not run meanwhile: it would continue with the old one. Raises `SettingsError`.
    """
    url, path = settings.database_url, settings.key_file
    file, before = sqlite_file(url), None
    if file is not None and not is_there(file):
        raise SettingsError(
            f"There is no database yet at {file}, so there are no keys to encrypt. Check DATABASE_URL."
        )
    async with bot_stopped(url, "rotate-keys") as member:
        await migrate(url)
        if not settings.encryption_keys:
            if not is_there(path):
                raise SettingsError(
                    f"There is no encryption key at {path.absolute()}. Put its last copy back and run this "
                    "again. Nothing was changed."
                )
            before = path.read_bytes()
            Vault.rewrite(path, lambda lines: [Fernet.generate_key().decode(), *lines])
        async with Database.open(url, fence=member) as db:
            unreadable = len(await db.write(keys.reseal, vault_of(settings)))
        if unreadable:
            one = unreadable == 1
            many = "1 Studii key was" if one else f"{unreadable} Studii keys were"
            raise SettingsError(
                f"{many} not changed: none of the encryption keys opens {'it' if one else 'them'}. The old "
                "encryption keys were kept. Put the missing one back and run this again, or ask the admins "
                "of those servers to enter their Studii keys again with /studii setup."
            )
        if before is not None:
            kept = unused(path, "before")
            private_file(kept)
            kept.write_bytes(before)
            Vault.rewrite(path, lambda lines: lines[:1])
            return (
                f"Done: all Studii keys are encrypted with a new key in {path.absolute()}. The old one is in "
                f"{kept.name} beside it: older backups need it. Keep it separate from them, and delete it "
                "when they are gone."
            )
    name = "ENCRYPTION_KEYS_FILE" if settings.encryption_keys_file is not None else "ENCRYPTION_KEYS"
    return (
        f"Done: all Studii keys are encrypted with the first key of {name}. Remove the other keys "
        f"from it, and delete {path.absolute()} if it exists. Keep the old keys only as long as "
        "you keep backups from before."
    )


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
        f"{count_words(moved['jobs'], 'job', 'jobs')}. The numbers of rows and the sums of the ledger agree. "
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
    scopes = ("bot", "applications.commands")
    return discord.utils.oauth_url(application.id, permissions=INVITE_PERMISSIONS, scopes=scopes)


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
