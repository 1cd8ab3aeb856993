"""What a start on the newest schema, on SQLite, has no use for is not imported: it costs time and memory."""

import subprocess
import sys

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
import importlib, pkgutil, sys
import bot.commands, cogs
for cog in pkgutil.iter_modules(cogs.__path__, "cogs."):
    importlib.import_module(cog.name)
print(*sys.modules)
"""
# All that the processes that open pictures import.
DECODER = """
import sys
import bot.media.decoder.serve
print(*sys.modules)
"""


def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    assert not UNUSED & imported_by(PROGRAM)


def test_the_processes_that_open_pictures_import_nothing_of_the_bot_but_its_media() -> None:
    own = {name for name in imported_by(DECODER) if name.startswith("bot.")}
    assert {name for name in own if not f"{name}.".startswith("bot.media.")} == set()
    assert "bot.media.kinds" in own


def imported_by(program: str) -> set[str]:
    """Return the names of the modules that a program imports, which prints them."""
    shown = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", program],
        capture_output=True,
        check=True,
        text=True,
    )
    return set(shown.stdout.split())
