"""`python -m bot restored`: what has to follow a pg_restore."""

from bot.cli.bot_stopped import bot_stopped
from bot.cli.encryption_keys import key_place
from bot.clock import SystemClock
from bot.config import StorageSettings
from bot.errors import SettingsError
from bot.lifecycle.submission import BEFORE_STUDII, make_unknown_after_restore
from bot.services import count_words
from bot.sqlite_file import sqlite_file
from bot.storage import Storage


async def restored(settings: StorageSettings) -> str:
    """Make the jobs unknown that waited in a PostgreSQL backup, as `restore` has it done on SQLite.

    They may have been sent, made and charged after the backup. Raises `SettingsError` if the bot runs.
    """
    url = settings.database_url
    if sqlite_file(url) is not None:
        raise SettingsError("The database is SQLite. `restore FILE` does everything. Nothing was changed.")
    async with (
        bot_stopped(url, "restored") as member,
        Storage.open(url, fence=member) as storage,
        storage.write() as transaction,
    ):
        waiting = await transaction.jobs.in_states(BEFORE_STUDII)
        for job in waiting:
            await make_unknown_after_restore(transaction, job, SystemClock().now())
    return (
        f"{count_words(len(waiting), 'job', 'jobs')} waited in the backup and may have run and been charged "
        "since. They won't be sent to Studii again; the servers' admins can settle them with /jobs. Jobs "
        f"from after the backup are unknown now. The encryption key must be {key_place(settings)}. You can "
        "start the bot now."
    )
