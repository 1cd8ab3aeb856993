"""Rows in tables of any version, and how many there are."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory

from bot.migrate import SCRIPTS

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
            if name != "alembic_version" and not name.startswith("sqlite_")
        }


def seed(file: Path, number: int = 1) -> None:
    """One row in every table, whatever the revision has for columns: that of this number."""
    with read(file) as database:
        for table in counts(file):
            columns = database.execute(f'SELECT name, type FROM pragma_table_info("{table}")')  # noqa: S608
            row = plausible(table, dict(columns.fetchall()), number)
            names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
            database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values()))  # noqa: S608
        database.commit()


def name_of(number: int) -> str:
    return f"{number:016x}"


def plausible(table: str, columns: Mapping[str, str], number: int) -> dict[str, Any]:
    """A row of the table, whose columns have these types."""
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
    if table == "credit_requests":
        words["state"] = "open"
    if table == "photo_channels":
        words["kind"] = "offer"
    by_type: dict[str, Any] = {
        "BLOB": b"sealed",
        "JSON": '{"prompt": "a cat"}',
        "BOOLEAN": True,
        "FLOAT": 1.5,
        "DATETIME": "2026-05-04 10:30:00.000000",
    }
    row: dict[str, Any] = {}
    for name, declared in columns.items():
        kind = declared.split("(")[0]
        if kind in {"INTEGER", "BIGINT"}:
            row[name] = number
        else:
            row[name] = by_type.get(kind, words.get(name, name_of(number)))
    if table == "posts":
        row["id"] = -number  # those that migrations move there are counted up
    return row
