"""A database of its own for each test.

It is an SQLite file. With `TEST_POSTGRESQL_URL` set to a server on which databases may be made
(postgresql+asyncpg://user:password@host/postgres), the tests that don't look into the file run there.
"""

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.storage import Storage, migrate
from tests.support.database import database

SERVER = os.environ.get("TEST_POSTGRESQL_URL")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    if SERVER:
        pytest.skip("looks into the SQLite file")
    return tmp_path / "studii.db"


@pytest.fixture
async def url(request: pytest.FixtureRequest) -> AsyncGenerator[str, None]:
    if not SERVER:
        yield f"sqlite+aiosqlite:///{request.getfixturevalue('file')}"
        return
    name = f"test_{uuid4().hex}"
    server = create_async_engine(SERVER, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.exec_driver_sql(f"CREATE DATABASE {name}")
        yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        await connection.exec_driver_sql(f"DROP DATABASE {name}")
    await server.dispose()


@pytest.fixture
async def storage(url: str, tmp_path: Path) -> AsyncGenerator[Storage, None]:
    if SERVER:
        await migrate(url)
    else:
        await database(tmp_path)
    async with Storage.open(url) as storage:
        yield storage
