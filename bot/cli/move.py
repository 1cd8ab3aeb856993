"""`python -m bot move POSTGRESQL_URL`: from SQLite to PostgreSQL."""

import os
import sys
from contextlib import AsyncExitStack
from getpass import getpass
from pathlib import Path

from bot.cli.bot_stopped import bot_stopped
from bot.config import StorageSettings
from bot.errors import SettingsError
from bot.migrate import migrate
from bot.move import copy_rows
from bot.services import count_words
from bot.sqlite_file import is_there, sqlite_file


async def move(settings: StorageSettings, address: str) -> str:
    """Copy everything from the SQLite file of the settings to an empty PostgreSQL, with the bot stopped.

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
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(bot_stopped(settings.database_url, "move POSTGRESQL_URL"))
        await migrate(settings.database_url)
        await stack.enter_async_context(bot_stopped(target.database_url, "move POSTGRESQL_URL"))
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
