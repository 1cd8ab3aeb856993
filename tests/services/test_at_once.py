"""Fifty commands at one moment against each kind of limit with room for five: five, on both databases."""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bot.catalog import Catalog
from bot.errors import Refused
from bot.model import Budget, Job, Period, Plan
from bot.policy import AllowanceOf, Standing, StartRate
from bot.services import JobService, LimitService, jobs
from bot.services.jobs import Repeated
from bot.storage import Storage, migrate
from tests.services.conftest import GUILD, MAX_SOURCE, MEMBER, PICTURE
from tests.support.clock import FakeClock
from tests.support.postgresql import programs, server

ROLE = 70
REQUEST = replace(PICTURE, standing=Standing(roles=frozenset({ROLE})))


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    given = os.environ.get("TEST_POSTGRESQL_URL")
    if given:
        yield given
        return
    if programs() is None:
        pytest.skip("Debian's postgresql is not installed")
    # The server's own user must be able to reach its folder, which pytest's are closed to.
    with server(Path(tempfile.gettempdir())) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncGenerator[Storage, None]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'studii.db'}"
    if request.param == "postgresql":
        address = make_url(request.getfixturevalue("postgresql"))
        name = f"test_{uuid4().hex}"
        engine = create_async_engine(address, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.exec_driver_sql(f"CREATE DATABASE {name}")
        await engine.dispose()
        url = address.set(database=name).render_as_string(hide_password=False)
    await migrate(url)
    async with Storage.open(url) as opened:
        async with opened.write() as transaction:
            key = await transaction.keys.add(GUILD, "lane", "abcd", Plan.PRO, b"", FakeClock().now())
            await transaction.guilds.set_key(GUILD, key.id, FakeClock().now())
            await transaction.guilds.set_budget(GUILD, Budget(10_000, Period.DAY, FakeClock().now()))
        yield opened


async def _server(storage: Storage, limits: LimitService) -> None:
    async with storage.write() as transaction:
        await transaction.guilds.set_budget(GUILD, Budget(41, Period.MONTH, FakeClock().now()))


async def _total(storage: Storage, limits: LimitService) -> None:
    async with storage.write() as transaction:
        await transaction.guilds.set_budget(GUILD, Budget(0, Period.TOTAL, FakeClock().now()))
    await limits.grant(GUILD, None, 40)


async def _everyone(storage: Storage, limits: LimitService) -> None:
    await limits.set_allowance(GUILD, AllowanceOf.MEMBERS, 0, 47)


async def _role(storage: Storage, limits: LimitService) -> None:
    await limits.set_allowance(GUILD, AllowanceOf.MEMBERS, 0, 8)
    await limits.set_allowance(GUILD, AllowanceOf.ROLE, ROLE, 40)


async def _own(storage: Storage, limits: LimitService) -> None:
    await limits.set_allowance(GUILD, AllowanceOf.ROLE, ROLE, 80)
    await limits.set_allowance(GUILD, AllowanceOf.MEMBER, MEMBER, 32)
    await limits.grant(GUILD, MEMBER, 8)


async def _going(storage: Storage, limits: LimitService) -> None:
    await limits.set_at_once(GUILD, 5)


async def _starts(storage: Storage, limits: LimitService) -> None:
    await limits.set_rate(GUILD, StartRate(5, 600))


@pytest.mark.parametrize("limit", [_server, _total, _everyone, _role, _own, _going, _starts])
async def test_of_fifty_at_once_as_many_are_taken_as_there_is_room_for(
    storage: Storage,
    limit: Callable[[Storage, LimitService], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", 60)  # each is answered by the limit, however slow the machine is
    clock = FakeClock()
    await limit(storage, LimitService(storage, clock))
    service = JobService(storage, Catalog.load(), clock, lambda: None, max_source_bytes=MAX_SOURCE)
    outcomes = await asyncio.gather(*(service.accept(REQUEST) for _ in range(50)), return_exceptions=True)
    assert sum(isinstance(one, Job) for one in outcomes) == 5
    assert sum(isinstance(one, Refused) for one in outcomes) == 45
    async with storage.read() as transaction:
        assert await transaction.ledger.discrepancies() == []


async def test_what_is_wished_twice_at_one_moment_is_done_once(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", 60)
    service = JobService(storage, Catalog.load(), FakeClock(), lambda: None, max_source_bytes=MAX_SOURCE)
    wish = replace(REQUEST, once="3:50:photo-restore:0")
    outcomes = await asyncio.gather(*(service.accept(wish) for _ in range(20)), return_exceptions=True)
    (job,) = (one for one in outcomes if isinstance(one, Job))
    assert sum(isinstance(one, Repeated) for one in outcomes) == 19
    await service.cancel(job.id, job.user_id)
    assert (await service.accept(wish)).id != job.id  # what was cancelled may be wished anew
    async with storage.read() as transaction:
        assert await transaction.ledger.discrepancies() == []
