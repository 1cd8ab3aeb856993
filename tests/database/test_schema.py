"""The migrations make the tables, indexes and checks that the code works with."""

import re
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect

from bot.db import used_once
from bot.migrate import migrate
from bot.rows import metadata
from tests.database.rows import read

# What the databases write in different ways.
OPERATORS = {"in", "not", "any", "all", "array"}


async def test_the_migrations_make_the_tables_that_the_code_works_with(url: str) -> None:
    def differences(connection: Connection) -> Any:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        return compare_metadata(context, metadata)

    await migrate(url)
    async with used_once(url) as connection:
        assert await connection.run_sync(differences) == []


@pytest.mark.usefixtures("tables")
async def test_indexes_and_checks_are_the_same_too(file: Path, url: str, tmp_path: Path) -> None:
    made = tmp_path / "made.db"
    engine = create_engine(f"sqlite:///{made}")
    metadata.create_all(engine)
    engine.dispose()

    def rules(database: Path) -> set[str]:
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name != 'alembic_version'"
        with read(database) as opened:
            lines = [line.strip(" \t,") for (sql,) in opened.execute(query) for line in sql.splitlines()]
        return {line for line in lines if "INDEX" in line or "CONSTRAINT" in line}

    assert rules(file) == rules(made)
    assert any("CHECK" in rule for rule in rules(file))


@pytest.mark.usefixtures("tables")
async def test_indexes_of_some_rows_have_the_same_rows_on_both_databases(url: str) -> None:
    def rows(connection: Connection) -> dict[str, set[str]]:
        name = connection.dialect.name
        return {
            str(index["name"]): words(str(index.get("dialect_options", {})[f"{name}_where"]))
            for table in metadata.tables
            for index in inspect(connection).get_indexes(table)
            if f"{name}_where" in index.get("dialect_options", {})
        }

    def words(condition: str) -> set[str]:
        # PostgreSQL adds brackets and types, and has words of its own for IN.
        plain = re.sub(r"::(character varying|text)", "", condition).lower().replace("is not", "isn't")
        return set(re.findall(r"isn't|'\w+'|\w+", plain)) - OPERATORS

    async with used_once(url) as connection:
        found = await connection.run_sync(rows)

    indexes = (index for table in metadata.tables.values() for index in table.indexes)
    conditions = {str(index.name): index.dialect_options["sqlite"]["where"] for index in indexes}
    assert found == {name: words(str(rows)) for name, rows in conditions.items() if rows is not None}
