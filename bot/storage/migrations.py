"""Bring the database to the schema that this version of the bot works with."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import SettingsError
from bot.storage.copies import copy_database
from bot.storage.engines import UNUSABLE, migration_engine, read_engine, unusable
from bot.storage.files import private_file, sqlite_file

SCRIPTS = Path(__file__).parents[2] / "migrations"
COPIES = 3


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to `revision`, all of the way or not at all; an older SQLite file is copied before.

    Raises `SettingsError` if the database can't be reached or copied, is none of ours, or was made by a
    newer version of the bot.
    """
    path = sqlite_file(url)
    if path is not None:
        await asyncio.to_thread(private_file, path)
    engine = migration_engine(url)
    try:
        async with engine.connect() as connection:
            await _upgrade(connection, revision, path)
    except UNUSABLE as error:
        raise unusable(url, error) from error
    finally:
        await engine.dispose()


async def _upgrade(connection: AsyncConnection, revision: str, path: Path | None) -> None:
    scripts = ScriptDirectory(str(SCRIPTS))
    target = str(scripts.as_revision_number(revision))
    current = await connection.run_sync(_current)
    if current == target:
        return
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise SettingsError(
            f"The database was made by a newer version of the bot (schema {current}, we know {target}). "
            "Start that version again, or set DATABASE_URL to another database."
        )
    if path is not None and current is not None:
        await asyncio.to_thread(_copy, path, f"{path.name}.before-{target}.bak")
    elif path is not None and await connection.run_sync(lambda sync: inspect(sync).get_table_names()):
        raise SettingsError(f"{path} is a database of another program. Set DATABASE_URL to another file.")
    await connection.rollback()  # what was looked at so far; the upgrade begins by itself
    if path is not None:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.run_sync(_run, target)
    await connection.commit()


async def schema_of(url: str) -> tuple[str | None, str]:
    """The schema that the database has (None: no tables of ours yet), and the one that this version needs.

    Changes nothing, and makes no file. Raises `SettingsError` if the database can't be reached.
    """
    target = str(ScriptDirectory(str(SCRIPTS)).get_current_head())
    path = sqlite_file(url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return None, target
    engine = read_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_current), target
    except UNUSABLE as error:
        raise unusable(url, error) from error
    finally:
        await engine.dispose()


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _run(connection: Connection, target: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    if connection.dialect.name == "sqlite":
        _hold_references(connection)


def _hold_references(connection: Connection) -> None:
    # Foreign keys are off while tables are made anew; this is what they would have refused.
    torn = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if torn is not None:
        raise SettingsError(
            f"The upgrade of the database was undone: a row of {torn[0]} would refer to one that is gone. "
            "Please report this; the bot's last version still works."
        )


def _copy(path: Path, name: str) -> None:
    """A consistent copy beside the file, though others may be reading it; older copies go."""
    copy = path.with_name(name)
    try:
        copy_database(path, copy)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"The database could not be copied to {copy} before its upgrade ({error}). "
            "Make room there and start again; nothing was changed."
        ) from error
    copies = sorted(path.parent.glob(f"{path.name}.before-*.bak"), key=lambda one: one.stat().st_mtime_ns)
    for old in copies[:-COPIES]:
        old.unlink(missing_ok=True)
