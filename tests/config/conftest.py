"""A test begins with no settings at all."""

import os
from pathlib import Path

import pytest

from bot.config import Settings
from tests.config.reading import TOKEN


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of this machine reaches the tests: an empty folder, and none of our variables."""
    monkeypatch.chdir(tmp_path)
    ours = Settings.__dataclass_fields__.keys()
    for name in list(os.environ):
        if name.lower() in ours:
            monkeypatch.delenv(name)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
