from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from bot.storage import Storage, migrate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "studii.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite+aiosqlite:///{file}"


@pytest.fixture
async def storage(url: str) -> AsyncGenerator[Storage, None]:
    await migrate(url)
    async with Storage.open(url) as storage:
        yield storage
