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


def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    shown = subprocess.run(  # noqa: S603 - a program of our own
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        check=True,
        text=True,
    )
    assert not UNUSED & set(shown.stdout.split())
