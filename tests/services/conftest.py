"""The services on a database of their own."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.services.world import ServicesWorld, services_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[ServicesWorld, None]:
    async with services_world(tmp_path) as world:
        yield world
