"""Rows in tables of any version, and how many there are."""

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert

from bot.storage.database.migrations import SCRIPTS

REVISIONS = [script.revision for script in ScriptDirectory(str(SCRIPTS)).walk_revisions("base", "heads")][
    ::-1
]


def read(file: Path) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(file))


def counts(file: Path) -> dict[str, int]:
    with read(file) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
            for name in names
            if name != "alembic_version"
        }


def seed(connection: Connection, number: int = 1) -> None:
    """One row in every table, whatever the revision has for columns: that of this number."""
    reflected = MetaData()
    reflected.reflect(connection)
    for table in reflected.sorted_tables:
        if table.name != "alembic_version":
            connection.execute(insert(table).values(plausible(table, number)))


def name_of(number: int) -> str:
    return f"{number:016x}"


def plausible(table: Table, number: int) -> dict[str, Any]:
    # Columns that take some words only; any other text, and all numbers, are the same everywhere, so that
    # references find their row.
    words = {
        "state": "waiting",
        "approval": "given",
        "result_approval": "wanted",
        "failure": "photo",
        "kind": "reserve",
        "plan": "pro",
        "role": "source",
        "budget_period": "week",
        "timezone": "UTC",
        "why": "first_tap",
    }
    if table.name == "credit_requests":
        words["state"] = "open"
    by_type: dict[str, Any] = {
        "BLOB": b"sealed",
        "JSON": {"prompt": "a cat"},
        "BOOLEAN": True,
        "FLOAT": 1.5,
        "DATETIME": None,
    }
    row: dict[str, Any] = {}
    for column in table.columns:
        kind = str(column.type).split("(")[0]
        if kind == "DATETIME":
            row[column.name] = datetime(2026, 5, 4, 10, 30)  # noqa: DTZ001 - as SQLite has it
        elif kind in {"INTEGER", "BIGINT"}:
            row[column.name] = number
        else:
            row[column.name] = by_type.get(kind, words.get(column.name, name_of(number)))
    return row
