"""Upgrade the database to this version's schema.

Alembic is imported when there is something to upgrade: that takes time and memory, and nearly every start
finds the newest schema.
"""

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.errors import SettingsError
from bot.storage.database.backup import copy_database
from bot.storage.database.engines import migration_engine, read_engine
from bot.storage.database.errors import UNUSABLE, shown, unusable
from bot.storage.database.file_checks import NOT_OURS, ensure_ours
from bot.storage.database.location import private_file, sqlite_file
from bot.storage.database.rights import missing_rights

SCRIPTS = Path(__file__).parents[3] / "migrations"
COPIES = 3
HEAD = "head"


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a database. `revision` is None without tables of the bot; `target` is the newest."""

    revision: str | None
    target: str
    known: bool
    others: bool  # it has tables of another program

    @property
    def current(self) -> bool:
        return self.revision == self.target


async def migrate(url: str, revision: str = HEAD) -> None:
    """Upgrade to `revision`, all of the way or not at all; an older SQLite file is copied before.

    Raises `SettingsError` if the database can't be reached or copied, is none of ours, or was made by a
    newer version of the bot.
    """
    path = sqlite_file(url)
    if path is not None:
        await asyncio.to_thread(ensure_ours, url)
        await asyncio.to_thread(private_file, path)
    engine = migration_engine(url)
    try:
        if path is None and (wrong := await missing_rights(engine)):
            raise SettingsError(f"The database at {shown(url)} {wrong}")
        async with engine.connect() as connection:
            if revision != HEAD or await connection.run_sync(_revision) != newest_revision():
                await _upgrade(connection, revision, path)
    except UNUSABLE as error:
        raise unusable(url, error) from error
    finally:
        await engine.dispose()


async def _upgrade(connection: AsyncConnection, revision: str, path: Path | None) -> None:
    schema = await connection.run_sync(_schema, revision)
    if schema.current:
        return
    if wrong := foreign(schema, path):
        raise SettingsError(f"The database {wrong}")
    target = schema.target
    if path is not None and schema.revision is not None:
        await asyncio.to_thread(_copy, path, f"{path.name}.before-{target}.bak")
    await connection.rollback()  # end the reads so far; the upgrade begins its own transaction
    if path is not None:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    await connection.run_sync(_run, target)
    await connection.commit()


def foreign(schema: Schema, path: Path | None) -> str | None:
    """Return why the database can't be used, as words that follow its name, or None if it is the bot's."""
    if schema.revision is not None and not schema.known and schema.revision.isdecimal():
        return (
            f"was made by a newer version of the bot (schema {schema.revision}; this version has "
            f"{schema.target}). Start the newer version again, or set DATABASE_URL to another "
            "database."
        )
    if (schema.revision is not None and not schema.known) or (schema.others and path is not None):
        return f"{f'file {path} ' if path else ''}{NOT_OURS}"
    return None


async def schema_of(url: str) -> Schema:
    """Return the schema of the database. Changes nothing, and creates no file.

    Raises `SettingsError` if the database can't be reached.
    """
    path = sqlite_file(url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return Schema(None, newest_revision(), known=False, others=False)
    engine = read_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_schema, HEAD)
    except UNUSABLE as error:
        raise unusable(url, error) from error
    finally:
        await engine.dispose()


def newest_revision() -> str:
    """Return this version's schema: the number that the last migration's file begins with."""
    return max(file.name.partition("_")[0] for file in (SCRIPTS / "versions").glob("[0-9]*.py"))


def _revision(connection: Connection) -> str | None:
    """Return the schema that the database says it has, if it has one of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _schema(connection: Connection, revision: str) -> Schema:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory(str(SCRIPTS))
    current = MigrationContext.configure(connection).get_current_revision()
    return Schema(
        current,
        str(scripts.as_revision_number(revision)),
        known=current in {script.revision for script in scripts.walk_revisions()},
        others=current is None and bool(inspect(connection).get_table_names()),
    )


def _run(connection: Connection, target: str) -> None:
    from alembic import command
    from alembic.config import Config

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
            f"The upgrade of the database was undone: a row of {torn[0]} would refer to a missing row. "
            "Please report this. The bot's previous version still works."
        )


def _copy(path: Path, name: str) -> None:
    """Copy the file beside itself, and delete all but the newest copies."""
    copy = path.with_name(name)
    try:
        copy_database(path, copy)
    except (OSError, sqlite3.Error) as error:
        raise SettingsError(
            f"The database couldn't be copied to {copy} before its upgrade ({error}). Free some space "
            "there and start again. Nothing was changed."
        ) from error
    copies = sorted(path.parent.glob(f"{path.name}.before-*.bak"), key=lambda one: one.stat().st_mtime_ns)
    for old in copies[:-COPIES]:
        old.unlink(missing_ok=True)
