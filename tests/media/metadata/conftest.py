"""Metadata is taken away where a photo lies."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.media.metadata import strip_metadata


@pytest.fixture
def strip(tmp_path: Path) -> Callable[[bytes], bytes]:
    def stripped(data: bytes) -> bytes:
        path = tmp_path / "photo"
        path.write_bytes(data)
        strip_metadata(path)
        assert [one.name for one in tmp_path.iterdir()] == ["photo"]
        return path.read_bytes()

    return stripped
