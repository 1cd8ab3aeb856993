"""What a start on the newest schema, on SQLite, has no use for is neither imported nor kept in memory."""

import subprocess
import sys
from functools import cache

import pytest

UNUSED = {
    "PIL",
    "aiohttp.web",
    "alembic",
    "asyncpg",
    "bot.cli.doctor",
    "mako",
    "matplotlib",
    "multiprocessing.pool",
    "numpy",
    "pydantic_core",
    "pygal",
    "pygments",
    "rich",
    "sqlalchemy.dialects.postgresql",
}


# All that a bot imports: the cogs are loaded by name.
PROGRAM = """
import importlib, sys
import bot.cli.commands
from bot.client.bot import EXTENSIONS
for name in EXTENSIONS:
    importlib.import_module(name)
print(*sys.modules)
"""
# All that the processes that open pictures import.
DECODER = """
import sys
import bot.media.decoder.serve
print(*sys.modules)
"""


@pytest.mark.promise
def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    assert not UNUSED & set(said_by(PROGRAM))


@pytest.mark.promise
def test_the_processes_that_open_pictures_import_nothing_of_the_bot_but_its_media() -> None:
    own = {name for name in said_by(DECODER) if name.startswith("bot.")}
    assert {name for name in own if not f"{name}.".startswith("bot.media.")} == set()
    assert "bot.media.kinds" in own


@cache
def said_by(program: str) -> list[str]:
    """Return the words that a program prints, which is run once."""
    shown = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
    )
    return shown.stdout.split()
