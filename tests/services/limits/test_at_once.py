"""Fifty commands at one moment against each kind of limit with room for five: five, on both databases."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.credits import ledger
from bot.credits.limits import AllowanceScope, StartRate
from bot.domain.guilds import Budget, Period, Plan
from bot.errors import Refused
from bot.jobs.confirm import Repeated
from bot.jobs.models import Job, MemberContext
from bot.servers import keys, settings
from bot.services import Services
from bot.storage import Storage
from tests.services.world import GUILD, MEMBER, PICTURE
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.services import accept, cancel, services_on

pytestmark = pytest.mark.driver_thread
ROLE = 70
REQUEST = replace(PICTURE, context=MemberContext(roles=frozenset({ROLE})))


@pytest.fixture
async def storage(either: str) -> AsyncGenerator[Storage, None]:
    async with Storage.open(either) as opened:
        async with opened.write() as transaction:
            key = await transaction.run(keys.add, GUILD, "lane", "abcd", Plan.PRO, b"", FakeClock().now())
            await transaction.run(settings.set_key, GUILD, key.id, FakeClock().now())
            await transaction.run(settings.set_budget, GUILD, Budget(10_000, Period.DAY, FakeClock().now()))
        yield opened


async def _server(storage: Storage, services: Services) -> None:
    async with storage.write() as transaction:
        await transaction.run(settings.set_budget, GUILD, Budget(41, Period.MONTH, FakeClock().now()))


async def _total(storage: Storage, services: Services) -> None:
    async with storage.write() as transaction:
        await transaction.run(settings.set_budget, GUILD, Budget(0, Period.TOTAL, FakeClock().now()))
    await spending.grant(services, GUILD, None, 40)


async def _everyone(storage: Storage, services: Services) -> None:
    await spending.set_limits(services, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 47))


async def _role(storage: Storage, services: Services) -> None:
    await spending.set_limits(services, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 8))
    await spending.set_limits(services, GUILD, allowance=(AllowanceScope.ROLE, ROLE, 40))


async def _own(storage: Storage, services: Services) -> None:
    await spending.set_limits(services, GUILD, allowance=(AllowanceScope.ROLE, ROLE, 80))
    await spending.set_limits(services, GUILD, allowance=(AllowanceScope.MEMBER, MEMBER, 32))
    await spending.grant(services, GUILD, MEMBER, 8)


async def _going(storage: Storage, services: Services) -> None:
    await spending.set_limits(services, GUILD, at_once=5)


async def _starts(storage: Storage, services: Services) -> None:
    await spending.set_limits(services, GUILD, rate=StartRate(5, 600))


@pytest.mark.promise
@pytest.mark.parametrize("limit", [_server, _total, _everyone, _role, _own, _going, _starts])
async def test_of_fifty_at_once_as_many_are_taken_as_there_is_room_for(
    storage: Storage, tmp_path: Path, limit: Callable[[Storage, Services], Awaitable[None]]
) -> None:
    services = await services_on(storage, tmp_path, FakeClock())
    await limit(storage, services)
    outcomes = await asyncio.gather(
        *(accept(services.acceptance, REQUEST) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(one, Job) for one in outcomes) == 5
    assert sum(isinstance(one, Refused) for one in outcomes) == 45
    async with storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []


async def test_what_is_wished_twice_at_one_moment_is_done_once(storage: Storage, tmp_path: Path) -> None:
    services = await services_on(storage, tmp_path, FakeClock())
    request = replace(REQUEST, once="3:50:photo-restore:0")
    outcomes = await asyncio.gather(
        *(accept(services.acceptance, request) for _ in range(20)), return_exceptions=True
    )
    (job,) = (one for one in outcomes if isinstance(one, Job))
    assert sum(isinstance(one, Repeated) for one in outcomes) == 19
    await cancel(services, job.id, job.guild_id, job.user_id)
    assert (
        await accept(services.acceptance, request)
    ).id != job.id  # what was cancelled may be asked for again
    async with storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []
