"""Nothing belongs to a connection: each transaction may run on another one, as behind PgBouncer."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot import connections, meta
from bot.db import Database
from bot.jobs.models import JobState
from tests.cluster.members import process_on, replaced
from tests.engine.world import a_job, engine_world
from tests.support.patience import PATIENCE
from tests.support.postgresql import UNPRIVILEGED_USER, free_port, new_migrated_database

PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
Way = Callable[[str, pytest.MonkeyPatch], AbstractAsyncContextManager[str]]
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = {folder}/log
"""


@asynccontextmanager
async def another_connection_each_time(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """Let every transaction open a connection of its own, and close it."""
    create = connections.create_async_engine

    def without_pool(address: str, **options: object) -> object:
        kept = {name: value for name, value in options.items() if not name.startswith(("pool", "max_"))}
        return create(address, poolclass=NullPool, **kept)  # type: ignore[arg-type]

    monkeypatch.setattr(connections, "create_async_engine", without_pool)
    yield url


@asynccontextmanager
async def behind_pgbouncer(url: str, _: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """Run PgBouncer in transaction mode before the server."""
    if PGBOUNCER is None:
        pytest.skip("PgBouncer isn't installed here, so only connections without it are tried")
    with _pgbouncer(PGBOUNCER, url) as address:
        engine = create_async_engine(address, poolclass=NullPool)
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    async with engine.connect():
                        break
                except OSError:
                    await asyncio.sleep(0.05)
        yield address


@contextmanager
def _pgbouncer(program: str, url: str) -> Generator[str]:
    server, own = make_url(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="studii-pgbouncer-"))
    as_user = {}
    if os.geteuid() == 0:  # which it refuses to run as
        user = pwd.getpwnam(UNPRIVILEGED_USER)
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": ()}
    file = folder / "pgbouncer.ini"
    file.write_text(
        CONFIGURATION.format(host=server.host, port=server.port, user=server.username, own=own, folder=folder)
    )
    file.chmod(0o644)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([program, str(file)], cwd="/", **quiet, **as_user)  # type: ignore[call-overload]  # noqa: S603
    try:
        yield server.set(port=own).render_as_string(hide_password=False)
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.promise
@pytest.mark.parametrize("way", [another_connection_each_time, behind_pgbouncer])
async def test_jobs_are_made_and_processes_take_over(
    way: Way, tmp_path: Path, migrated_postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = await new_migrated_database(migrated_postgresql)
    async with way(direct, monkeypatch) as url, process_on(url) as first:
        await asyncio.wait_for(first.stand_by(), PATIENCE)
        async with engine_world(tmp_path, url=url, member=first) as world, world.running():
            await world.use_key(world.studii.add_key(balance=1000))
            jobs = [await world.accept(a_job()) for _ in range(5)]
            for job in jobs:
                await world.reaches(job.id, JobState.SUCCEEDED)
            await world.balanced()
        await replaced(url, first)
        async with process_on(url) as second, Database.open(url, fence=second) as db:
            await asyncio.wait_for(second.stand_by(), PATIENCE)
            await db.write(meta.set_to, "written", b"by the second")
