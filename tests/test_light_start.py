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


# All that a bot imports: the cogs are loaded by name. And how many contexts hold the system's certificates.
PROGRAM = """
import gc, importlib, ssl, sys
import bot.cli.commands
from bot.client.bot import EXTENSIONS
for name in EXTENSIONS:
    importlib.import_module(name)
imported = [*sys.modules]
from bot.process import forget_unused
forget_unused()
print(sum(isinstance(one, ssl.SSLContext) for one in gc.get_objects()), *imported)
"""
# What a bot with HEALTH_PORT imports as well.
HEALTH = """
import sys
import bot.monitoring
print(*sys.modules)
"""
# All that the processes that open pictures import.
DECODER = """
import sys
import bot.media.decoder.serve
print(*sys.modules)
"""


# What Babel keeps of the tables of all languages, and of Japanese, once the bot's languages are spoken.
TABLES = """
from babel import core, localedata
from datetime import date
from bot.languages import Language, and_list, day_and_month, number, or_list, speaking
for language in Language:
    with speaking(language):
        number(1234567), day_and_month(date(2026, 3, 5)), and_list("abc"), or_list("abc")
print(core._global_data, "months" in localedata.load("ja"), "unit_patterns" in localedata.load("ja"))
"""

# How often the collector looks through all there is until a command has ended, and that imports are frozen.
COLLECTIONS = """
import gc, io, sys
sys.stderr = io.StringIO()  # the command has no settings
whole = []
gc.callbacks.append(lambda phase, info: whole.append(phase) if info["generation"] == 2 else None)
from bot.__main__ import main
assert main(["invite"]) == 2
print(len(whole), gc.get_freeze_count() > 50_000, gc.isenabled())
"""


@pytest.mark.promise
def test_the_bot_imports_nothing_that_it_may_never_need() -> None:
    _, *imported = said_by(PROGRAM)
    assert not UNUSED & set(imported)


def test_the_health_server_needs_no_web_framework() -> None:
    assert not {"aiohttp.web", "aiohttp.web_app", "aiohttp.web_fileresponse"} & set(said_by(HEALTH))


@pytest.mark.promise
def test_the_processes_that_open_pictures_import_nothing_of_the_bot_but_its_media() -> None:
    own = {name for name in said_by(DECODER) if name.startswith("bot.")}
    assert {name for name in own if not f"{name}.".startswith("bot.media.")} == set()
    assert "bot.media.kinds" in own


def test_the_certificates_are_in_memory_once() -> None:
    assert said_by(PROGRAM)[0] == "1"


def test_the_collector_never_looks_at_what_is_imported() -> None:
    assert said_by(COLLECTIONS) == ["0", "True", "True"]


def test_what_babel_reads_and_nobody_uses_is_not_kept() -> None:
    assert said_by(TABLES) == ["None", "True", "False"]


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
