"""Upgrade the database to this version's schema.

Alembic is imported when there is something to upgrade: that takes time and memory, and nearly every start
finds the newest schema.
"""

import asyncio
import logging
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.connections import used_once
from bot.errors import SettingsError, Unavailable
from bot.sqlite_file import ANOTHER_PROGRAMS, copy_database, ensure_ours, private_file, sqlite_file

_log = logging.getLogger(__name__)

SCRIPTS = Path(__file__).parents[1] / "migrations"
HEAD = "head"

# Up to schema 0025 the bot held a lock for as long as it ran; since then, a process has a row.
_NO_OLD_BOT = "SELECT pg_try_advisory_xact_lock(21332, 1)"
_NO_PROCESS = "SELECT NOT EXISTS (SELECT FROM processes WHERE until >= clock_timestamp())"
_FIRST_WITH_PROCESSES = "0026"


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of a database. `revision` is None without tables of the bot; `target` is the newest."""

    revision: str | None
    target: str
    known: bool
    others: bool  # it has tables of another program
    stops_others: bool = False  # processes of the earlier version can't run during and after the upgrade

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
    async with used_once(url, writes=True) as connection:
        if revision != HEAD or await connection.run_sync(_revision) != newest_revision():
            await _upgrade(connection, revision, path)


async def _upgrade(connection: AsyncConnection, revision: str, path: Path | None) -> None:
    schema = await connection.run_sync(_schema, revision)
    if schema.current:
        return
    if wrong := foreign(schema, path):
        raise SettingsError(f"The database {wrong}")
    if path is not None and schema.revision is not None:
        await asyncio.to_thread(_copy, path, f"{path.name}.before-{schema.target}.bak")
    await connection.rollback()  # end the reads so far; the upgrade begins its own transaction
    if path is not None:
        await connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif not await _turn_to_upgrade(connection, revision, schema):
        return
    await connection.run_sync(_run, schema.target)
    await connection.commit()


async def _turn_to_upgrade(connection: AsyncConnection, revision: str, schema: Schema) -> bool:
    """Wait until no process runs that the upgrade would disturb. Return False if another one has upgraded.

    One process upgrades at a time.
    """
    said = False
    none_runs = _NO_PROCESS if (schema.revision or "") >= _FIRST_WITH_PROCESSES else _NO_OLD_BOT
    while True:
        await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(21332, 3)")
        if (await connection.run_sync(_schema, revision)).current:
            await connection.rollback()
            return False
        if not schema.stops_others or (await connection.exec_driver_sql(none_runs)).scalar_one():
            return True
        await connection.rollback()
        if not said:
            _log.warning(
                "The upgrade of the database from schema %s to %s needs every process of the earlier version "
                "stopped. Stop them, and this one continues automatically.",
                schema.revision,
                schema.target,
            )
            said = True
        await asyncio.sleep(1.0)


def foreign(schema: Schema, path: Path | None) -> str | None:
    """Return why the database can't be used, as words that follow its name, or None if it is the bot's."""
    if schema.revision is not None and not schema.known and schema.revision.isdecimal():
        return (
            f"was made by a newer version of the bot (schema {schema.revision}; this version has "
            f"{schema.target}). Start the newer version again, or set DATABASE_URL to another "
            "database."
        )
    if (schema.revision is not None and not schema.known) or (schema.others and path is not None):
        return f"{f'file {path} ' if path else ''}{ANOTHER_PROGRAMS}"
    return None


async def schema_of(url: str) -> Schema:
    """Return the schema of the database. Changes nothing, and creates no file.

    Raises `SettingsError` if the database can't be reached.
    """
    path = sqlite_file(url)
    if path is not None and not await asyncio.to_thread(path.exists):
        return Schema(None, newest_revision(), known=False, others=False)
    async with used_once(url) as connection:
        return await connection.run_sync(_schema, HEAD)


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
    steps = list(scripts.walk_revisions())
    target = str(scripts.as_revision_number(revision))
    ahead = [step for step in steps if current is not None and current < step.revision <= target]
    return Schema(
        current,
        target,
        known=current in {step.revision for step in steps},
        others=current is None and bool(inspect(connection).get_table_names()),
        stops_others=not all(getattr(step.module, "beside_earlier", False) for step in ahead),
    )


def _run(connection: Connection, target: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    if connection.dialect.name == "sqlite":
        # Foreign keys are off while tables are made again; this is what they would have refused.
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
        raise Unavailable(
            f"The database couldn't be copied to {copy} before its upgrade ({error}). Free some space "
            "there and start again. Nothing was changed."
        ) from error
    copies = path.parent.glob(f"{path.name}.before-*.bak")
    for old in sorted(copies, key=lambda one: one.stat().st_mtime_ns)[:-3]:  # of the last three they stay
        old.unlink(missing_ok=True)
