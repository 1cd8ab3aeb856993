"""A database of its own for each test: an SQLite file, and then one on PostgreSQL.

Tests that look into the `file` run on SQLite alone.
"""

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.db import Database
from bot.migrate import SCRIPTS
from tests.support.database import database
from tests.support.postgresql import new_database, new_migrated_database


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "url" in metafunc.fixturenames:
        on_file = "file" in metafunc.fixturenames
        metafunc.parametrize("url", ["sqlite"] if on_file else ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studii.db"


@pytest.fixture
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database; it has all tables where the test opens it as `db`, or has
    `tables`."""
    opened = not {"db", "tables"}.isdisjoint(request.fixturenames)
    if request.param == "sqlite":
        return await database(tmp_path) if opened else f"sqlite+aiosqlite:///{tmp_path / 'studii.db'}"
    if opened:
        return await new_migrated_database(request.getfixturevalue("migrated_postgresql"))
    return await new_database(request.getfixturevalue("postgresql"))


@pytest.fixture
def tables() -> None:
    """Have the tables in the database at the start: copied, as it takes half a second to make them."""


@pytest.fixture
async def db(url: str) -> AsyncGenerator[Database, None]:
    async with Database.open(url) as db:
        yield db


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later version of the bot, with migrations of its own."""
    later = tmp_path / "later"
    shutil.copytree(SCRIPTS, later, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("bot.migrate.SCRIPTS", later)
    return later / "versions"
