"""Run the file of each migration once for a whole pytest process: Alembic does for each upgrade anew."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from alembic import util

_loaded: dict[tuple[Path, int, int], ModuleType] = {}


def share_migrations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test's upgrades have the migrations that other tests' upgrades have loaded."""
    load: Any = util.load_python_file

    def share(folder: Path | str, name: Path | str) -> ModuleType:
        path = Path(folder) / name
        if path.name == "env.py":  # runs the upgrade
            return load(folder, name)
        told = path.stat()
        key = (path, told.st_mtime_ns, told.st_size)
        if key not in _loaded:
            _loaded[key] = load(folder, name)
        return _loaded[key]

    monkeypatch.setattr(util, "load_python_file", share)
