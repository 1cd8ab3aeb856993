"""Fixtures that give a test each of the databases that the bot works with."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage import migrate
from tests.support.postgresql import programs, server


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A server's address: the given one, or one of our own."""
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given
        return
    if programs() is None:
        pytest.skip("Debian's postgresql is not installed")
    # The server's own user must be able to reach its folder, which pytest's are closed to.
    with server(Path(tempfile.gettempdir())) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database with all tables, on SQLite and on PostgreSQL."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'studii.db'}"
    if request.param == "postgresql":
        address = make_url(request.getfixturevalue("postgresql"))
        name = f"test_{uuid4().hex}"
        engine = create_async_engine(address, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"CREATE DATABASE {name}")
        await engine.dispose()
        url = address.set(database=name).render_as_string(hide_password=False)
    await migrate(url)
    return url
