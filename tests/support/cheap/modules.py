"""Compile each of the tests' modules in one of pytest-xdist's workers, where none is compiled yet.

All workers import all modules, and would each rewrite the assertions of a fresh checkout, which takes longer
than everything else that they do before the first test.
"""

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest


def share_compiling(config: pytest.Config) -> None:
    """Import the tests' modules, beginning at another one than the other workers do.

    Each then finds compiled what others have come to before. An error is met again, and told, by pytest.
    """
    told = getattr(config, "workerinput", None)
    if told is None or sys.dont_write_bytecode:
        return
    names = [_name(path, config.rootpath) for path in _files(config)]
    first = int(told["workerid"].removeprefix("gw")) * len(names) // told["workercount"]
    for name in (*names[first:], *names[:first]):
        with suppress(Exception, pytest.skip.Exception):
            import_module(name)


def _files(config: pytest.Config) -> list[Path]:
    """Return the files in which pytest looks for tests."""
    asked = {config.invocation_params.dir / one.partition("::")[0] for one in config.args}
    found = {file for path in asked for file in (path.rglob("test_*.py") if path.is_dir() else [path])}
    return sorted(found)


def _name(path: Path, root: Path) -> str:
    return ".".join(path.resolve().relative_to(root).with_suffix("").parts)
