"""Fifty commands at one moment against each kind of limit with room for five: five, on both databases."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.credits import ledger
from bot.credits.limits import AllowanceScope, StartRate
from bot.db import Database
from bot.domain.guilds import Budget, Period, Plan
from bot.errors import CreditsShort, Refused
from bot.jobs.models import Job, MemberContext
from bot.servers import keys, settings
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.services import GUILD, MEMBER, PICTURE, ServicesWorld, accept, services_on

pytestmark = pytest.mark.driver_thread
ROLE = 70
REQUEST = replace(PICTURE, context=MemberContext(roles=frozenset({ROLE})))


@pytest.fixture
async def db(either: str) -> AsyncGenerator[Database, None]:
    async with Database.open(either) as opened:
        key = await opened.write(keys.add, GUILD, "lane", "abcd", Plan.PRO, b"", FakeClock().now())
        await opened.write(settings.set_key, GUILD, key.id)
        await opened.write(settings.set_budget, GUILD, Budget(10_000, Period.DAY, FakeClock().now()))
        yield opened


NOW = FakeClock().now()
EVERYONE = (AllowanceScope.MEMBERS, 0)
# The budget, if it is another; limits, one after the other; and a grant, with whose it is.
ROOM_FOR_FIVE: dict[str, tuple[Budget | None, list[dict[str, Any]], tuple[int | None, int] | None]] = {
    "server": (Budget(41, Period.MONTH, NOW), [], None),
    "total": (Budget(0, Period.TOTAL, NOW), [], (None, 40)),
    "everyone": (None, [{"allowance": (*EVERYONE, 47)}], None),
    "role": (
        None,
        [{"allowance": (*EVERYONE, 8)}, {"allowance": (AllowanceScope.ROLE, ROLE, 40)}],
        None,
    ),
    "own": (
        None,
        [
            {"allowance": (AllowanceScope.ROLE, ROLE, 80)},
            {"allowance": (AllowanceScope.MEMBER, MEMBER, 32)},
        ],
        (MEMBER, 8),
    ),
    "running": (None, [{"at_once": 5}], None),
    "starts": (None, [{"rate": StartRate(5, 600)}], None),
}


@pytest.mark.promise
@pytest.mark.parametrize("room", ROOM_FOR_FIVE.values(), ids=ROOM_FOR_FIVE)
async def test_of_fifty_at_once_as_many_are_taken_as_there_is_room_for(
    db: Database,
    tmp_path: Path,
    room: tuple[Budget | None, list[dict[str, Any]], tuple[int | None, int] | None],
) -> None:
    services = await services_on(db, tmp_path, FakeClock())
    budget, limited, granted = room
    if budget is not None:
        await db.write(settings.set_budget, GUILD, budget)
    for one in limited:
        await spending.set_limits(services, GUILD, **one)
    if granted is not None:
        await spending.grant(services, GUILD, *granted)
    outcomes = await asyncio.gather(
        *(accept(services.acceptance, REQUEST) for _ in range(50)), return_exceptions=True
    )
    assert sum(isinstance(one, Job) for one in outcomes) == 5
    assert sum(isinstance(one, Refused) for one in outcomes) == 45
    assert await db.read(ledger.differing) == []


SECOND = timedelta(seconds=1)


async def budget_of_one_job(world: ServicesWorld, period: Period, zone: str, *when: int) -> None:
    """The server stands in that zone at that time of its own clocks, with room for one job a period."""
    world.clock.set(datetime(*when, tzinfo=ZoneInfo(zone)).astimezone(UTC))  # pyright: ignore[reportArgumentType]
    await world.ready()
    await spending.set_budget(world.services, GUILD, None, None, zone)
    await world.budget(8, period)


async def no_room(world: ServicesWorld) -> str:
    with pytest.raises(Refused) as caught:
        await world.accept()
    return str(caught.value)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("zone", "midnight", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("America/Havana", (2025, 11, 2), 25),
    ],
)
async def test_a_daily_budget_renews_at_midnight_though_the_clocks_were_changed(
    world: ServicesWorld, zone: str, midnight: tuple[int, int, int], hours: int
) -> None:
    await budget_of_one_job(world, Period.DAY, zone, *midnight)
    await world.accept()
    renews = world.clock.now() + timedelta(hours=hours)
    world.clock.set(renews - SECOND)
    assert f"The budget renews <t:{renews.timestamp():.0f}:R>" in await no_room(world)
    world.clock.set(renews)
    await world.accept()
    await no_room(world)


@pytest.mark.promise
async def test_the_hour_that_comes_twice_is_one_day_and_gives_nothing_twice(world: ServicesWorld) -> None:
    await budget_of_one_job(world, Period.DAY, "Europe/Berlin", 2026, 10, 25, 2, 30)
    await world.accept()
    world.clock.advance(3600)  # half past two again
    await no_room(world)


@pytest.mark.promise
async def test_after_the_clock_jumps_back_nobody_waits_for_a_start_in_the_future(
    world: ServicesWorld,
) -> None:
    await world.ready()
    await spending.set_limits(world.services, GUILD, rate=StartRate(1, 600))
    noon = world.clock.now()
    world.clock.set(noon + timedelta(days=30))
    await world.accept()
    world.clock.set(noon)
    assert (await spending.of_member(world.services, GUILD, MEMBER, ())).next_start is None
    await world.accept()
    assert "<t:" in await no_room(world)


async def at(world: ServicesWorld, *when: int) -> None:
    """It is that time in UTC, and the server has a key."""
    world.clock.set(datetime(*when, tzinfo=UTC))  # pyright: ignore[reportArgumentType]
    await world.ready()


async def granted(world: ServicesWorld) -> tuple[int, int]:
    """What counts now: to the server, and to the member."""
    assert await world.db.read(ledger.differing) == []
    members = await spending.grants(world.services, GUILD)
    state = await spending.of_member(world.services, GUILD, MEMBER, ())
    assert members.get(MEMBER, 0) == state.use.grants
    return state.budget.grants, state.use.grants


async def grant(world: ServicesWorld, server: int, member: int) -> None:
    await spending.grant(world.services, GUILD, None, server)
    await spending.grant(world.services, GUILD, MEMBER, member)


@pytest.mark.promise
@pytest.mark.parametrize(
    ("period", "length"), [(Period.DAY, 1), (Period.WEEK, 7), (Period.MONTH, 31)], ids=str
)
async def test_a_grant_ends_with_the_period_for_which_it_was_given(
    world: ServicesWorld, period: Period, length: int
) -> None:
    await at(world, 2027, 3, 1, 9)  # a Monday, the first of a month
    await world.budget(8, period)
    await spending.set_limits(world.services, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 8))
    await grant(world, 8, 8)
    for _ in range(2):
        await world.accept()
    world.clock.advance((timedelta(days=length) - timedelta(hours=10)).total_seconds())
    assert await granted(world) == (8, 8)
    world.clock.advance(3600)
    assert await granted(world) == (0, 0)
    await world.accept()
    with pytest.raises(CreditsShort, match="0 of 8 credits left"):
        await world.accept()


@pytest.mark.promise
async def test_a_spent_budget_says_what_it_would_cost_what_is_left_and_when_it_renews(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=11)
    await world.accept()
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 3 of 11 credits left today. "
        f"The budget renews <t:{datetime(2026, 3, 3, tzinfo=UTC).timestamp():.0f}:R>. {CHANGE_BUDGET}"
    )


@pytest.mark.promise
async def test_a_one_off_total_never_promises_to_renew(world: ServicesWorld) -> None:
    await world.ready()
    await world.budget(10, Period.TOTAL)
    job = await world.accept()
    cost = "Not enough credits: this costs about 8 credits, and the server has 2 of 10 credits left."
    said = await refusal(world)
    assert said == f"{cost} Credits may free up when running jobs finish. {CHANGE_BUDGET}"
    await world.finish(job, charge=8)
    said = await refusal(world)
    assert said == f"{cost} It's a one-off total and doesn't renew. {CHANGE_BUDGET}"


@pytest.mark.promise
async def test_nobody_is_told_to_wait_for_a_budget_that_will_never_do(world: ServicesWorld) -> None:
    await world.ready(daily=5)
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 5 of 5 credits left today. "
        f"The daily budget of 5 credits is below the price. {CHANGE_BUDGET}"
    )


async def test_nobody_waits_for_the_next_period_when_only_a_grant_made_this_one_large_enough(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=5)
    await spending.grant(world.services, GUILD, None, 5)
    await world.finish(await world.accept(), charge=8)
    said = await refusal(world)
    assert "2 of 10 credits left today. The daily budget of 5 credits is below the price." in said


async def test_an_allowance_that_will_never_do_says_so_and_who_can_raise_it(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    await spending.set_limits(world.services, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 6))
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and your allowance has 6 of 6 credits left today. "
        "The daily allowance of 6 credits is below the price. "
        "An admin can change this with `/studii credits`."
    )


CHANGE_BUDGET = "An admin can change the budget with `/studii budget`."


async def refusal(world: ServicesWorld, **changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        await world.accept(**changes)
    return str(caught.value)
