"""A world for each test of the engine."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.engine.world import EngineWorld, engine_world


@pytest.fixture
async def world(tmp_path: Path, of_world: Mapping[str, Any]) -> AsyncGenerator[EngineWorld]:
    """Everything but the engine itself, in which the server has a key."""
    async with engine_world(tmp_path, **of_world) as world:
        yield world
