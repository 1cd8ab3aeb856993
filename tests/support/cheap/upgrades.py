"""Upgrade an empty SQLite database once for a whole process, and copy what came of it into all later ones."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

_UPGRADE = "_upgrade"
_TABLES = "SELECT count(*) FROM sqlite_master"


def share_upgrades(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new databases get their tables from the first of them. Any other upgrade is made as ever."""
    from bot import migrate

    upgrade: Any = getattr(migrate, _UPGRADE)
    shipped = migrate.SCRIPTS
    made: list[sqlite3.Connection] = []  # in memory

    async def share(connection: Any, revision: str, path: Path | None) -> None:
        usual = revision == migrate.HEAD and shipped == migrate.SCRIPTS
        if path is None or not usual or (await connection.exec_driver_sql(_TABLES)).scalar_one():
            await upgrade(connection, revision, path)
        elif made:
            await connection.rollback()
            await asyncio.to_thread(_copy, made[0], path)
        else:
            await upgrade(connection, revision, path)
            made.append(await asyncio.to_thread(_read, path))

    monkeypatch.setattr(migrate, _UPGRADE, share)


def _copy(made: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        made.backup(database)


def _read(path: Path) -> sqlite3.Connection:
    made = sqlite3.connect(":memory:", check_same_thread=False)
    with closing(sqlite3.connect(path)) as database:
        database.backup(made)
    return made
