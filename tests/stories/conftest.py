"""A town for each story."""

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.stories.world import Town, town


@pytest.fixture
async def here(tmp_path: Path, of_world: Mapping[str, Any]) -> AsyncGenerator[Town]:
    """The whole bot at work, in a server that has a key and a log channel."""
    async with town(tmp_path, **of_world) as here:
        yield here
