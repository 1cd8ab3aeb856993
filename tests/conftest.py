"""Fixtures that give a test each of the databases that the bot works with."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from discord.webhook.async_ import async_context
from hypothesis import HealthCheck, settings

from bot.db import Database
from tests.support.cheap import (
    choose_without_local_constants,
    copy_quickly,
    files_in_memory,
    settle_quickly,
    share_drawings,
    share_extensions,
    share_payloads,
    share_statements,
)
from tests.support.database import database, no_power_cut, sqlite_in_place
from tests.support.desk import Desk, open_desk
from tests.support.detached import hold_rows_apart, refuse_detached
from tests.support.postgresql import make_template, new_migrated_database, server
from tests.support.resources import ResourcesWorld, resources_world

TESTS = Path(__file__).parent
ADDRESS = "TEST_POSTGRESQL_URL"
GARBAGE = 20_000  # objects more than before at which Python looks for cycles: 700 without us
# What these promise isn't how the driver runs its thread: others see to that.
IN_PLACE = {"cogs", "credits", "delivery", "engine", "jobs", "reactions", "servers", "ui"}

# Their tests wait more than they compute, for processes, leases, pauses; or one computes for long. Each is
# followed by some of the others, so that seldom all workers wait; and they begin early, so that none is last.
LONG = {
    *("bench", "cli", "cluster", "hostile", "sandbox", "simulation", "stories"),
    *("test_behind_a_proxy.py", "test_process.py"),
}
SHORT_BETWEEN = 6

files_in_memory()
share_statements()
copy_quickly()
settle_quickly()
# How long something takes is measured in benchmarks, not asserted here.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
choose_without_local_constants()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the modules that are loaded, which stay until the end, each search for unreachable cycles."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(GARBAGE, 20, 20)
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deal the tests that take long to pytest-xdist's workers, which get one stretch of the list each."""
    workers = getattr(config, "workerinput", {}).get("workercount")
    if workers is None:  # there is one process, in which their order makes no difference
        return
    long, short = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        (long if item.path.relative_to(TESTS).parts[0] in LONG else short).append(item)
    items.clear()
    for number in range(workers):
        some, others = (_stretch(tests, number, workers) for tests in (long, short))
        for place, item in enumerate(some):
            items += [item, *others[place * SHORT_BETWEEN : (place + 1) * SHORT_BETWEEN]]
        items += others[len(some) * SHORT_BETWEEN :]


def _stretch(tests: Sequence[pytest.Item], number: int, workers: int) -> Sequence[pytest.Item]:
    """Return the tests of a worker: neighbours, which share what a folder's tests make once."""
    return tests[number * len(tests) // workers : (number + 1) * len(tests) // workers]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers `-n auto` is: three for each core, as some of them wait."""
    return 3 * (os.cpu_count() or 1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Start one PostgreSQL for all workers, in which each makes databases of its own."""
    if ADDRESS not in os.environ:
        running = ExitStack()
        with suppress(Exception):  # workers start their own then, and tell why they can't
            os.environ[ADDRESS] = running.enter_context(server()).url
        config.add_cleanup(running.close)


def pytest_configure() -> None:
    # In the background of a shell, the tests and the processes that they start would ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _commands_as_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let texts name commands without the ids that Discord gave them, which differ from test to test.

    In processes of their own, and where it is tested, they are links. Worlds that are built before the first
    test know the ids.
    """
    monkeypatch.setattr("bot.ui.kit.layout._linked_ids", {})

    def forget(_ids: Mapping[str, int]) -> None: ...

    monkeypatch.setattr("bot.client.commands.know_commands", forget)


@pytest.fixture(autouse=True)
def _with_a_log() -> Iterator[None]:
    """Let each test read the log, also after one that had turned it off or made its own."""
    logging.disable(logging.NOTSET)
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    # Those of pytest are of classes of their own.
    root.handlers[:] = [one for one in root.handlers if type(one) is not logging.StreamHandler]


@pytest.fixture(autouse=True)
def _cheap_worlds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    share_extensions(monkeypatch)
    share_payloads(monkeypatch)
    package = request.path.relative_to(TESTS).parts[0]
    if package != "sandbox":  # whose tests look at what is drawn
        share_drawings(monkeypatch)
    if package in IN_PLACE and request.node.get_closest_marker("driver_thread") is None:
        sqlite_in_place(monkeypatch)
        no_power_cut(monkeypatch)


@pytest.fixture(autouse=True, scope="session")
def _detached_rows_refuse() -> None:
    refuse_detached()


@pytest.fixture(autouse=True)
def _rows_are_held_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    hold_rows_apart(monkeypatch)


@pytest.fixture
def of_world(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """What the test's mark `world` says of the one that is made for it."""
    marked = request.node.get_closest_marker("world")
    return {"key": True} | ({} if marked is None else marked.kwargs)


@pytest.fixture
async def desk(tmp_path: Path, of_world: Mapping[str, Any]) -> AsyncGenerator[Desk]:
    """The bot in a simulated server that has a key; no engine runs."""
    opened, over = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def hold() -> None:  # simcord is left in the context in which it was entered
        async with open_desk(tmp_path, **of_world) as desk:
            opened.set_result((desk, async_context.get()))
            await over.wait()

    async with asyncio.TaskGroup() as group:
        group.create_task(hold())
        desk, simulated = await opened
        async_context.set(simulated)  # what the test edits by itself is in simcord, too
        yield desk
        over.set()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server that runs: one from a wheel, or the one at `TEST_POSTGRESQL_URL`."""
    if given := os.environ.get(ADDRESS):
        yield given
        return
    with server() as running:
        yield running.url


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: str) -> str:
    """The server's address, once it can hand out databases with all tables."""
    make_template(postgresql)
    return postgresql


@pytest.fixture(params=["sqlite", "postgresql"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a new database with all tables, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return await database(tmp_path)
    return await new_migrated_database(request.getfixturevalue("migrated_postgresql"))


@pytest.fixture
async def db(either: str) -> AsyncGenerator[Database]:
    async with Database.open(either) as opened:
        yield opened


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[ResourcesWorld]:
    """The resources on a database of their own."""
    async with resources_world(tmp_path) as world:
        yield world
