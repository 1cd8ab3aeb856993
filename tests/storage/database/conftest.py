"""A later version of the bot, whose migrations a test adds."""

import shutil
from pathlib import Path

import pytest

from bot.migrate import SCRIPTS


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A later version of the bot, with migrations of its own."""
    later = tmp_path / "later"
    shutil.copytree(SCRIPTS, later, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("bot.migrate.SCRIPTS", later)
    return later / "versions"
