"""Fifty commands at one moment against each kind of limit with room for five: five, on both databases."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.credits import budgets
from bot.credits.limits import AllowanceScope, StartRate
from bot.db import Database
from bot.errors import Refused
from bot.servers import keys, settings
from bot.servers.keys import Plan
from bot.servers.settings import Period
from tests.support import spending
from tests.support.clock import FakeClock
from tests.support.resources import GUILD, MEMBER, ResourcesWorld

pytestmark = pytest.mark.driver_thread


@pytest.fixture
async def db(either: str) -> AsyncGenerator[Database, None]:
    async with Database.open(either) as opened:
        key = await opened.write(keys.add, GUILD, "lane", "abcd", Plan.PRO, b"", FakeClock().now())
        await opened.write(settings.change, GUILD, key_id=key.id)
        await opened.write(budgets.set_budget, GUILD, 10_000, Period.DAY, at=FakeClock().now())
        yield opened


SECOND = timedelta(seconds=1)


async def budget_of_one_job(world: ResourcesWorld, period: Period, zone: str, *when: int) -> None:
    """The server stands in that zone at that time of its own clocks, with room for one job a period."""
    world.clock.set(datetime(*when, tzinfo=ZoneInfo(zone)).astimezone(UTC))  # pyright: ignore[reportArgumentType]
    await world.ready()
    await spending.set_budget(world.resources, GUILD, None, None, zone)
    await world.budget(8, period)


async def no_room(world: ResourcesWorld) -> str:
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
    world: ResourcesWorld, zone: str, midnight: tuple[int, int, int], hours: int
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
async def test_the_hour_that_comes_twice_is_one_day_and_gives_nothing_twice(world: ResourcesWorld) -> None:
    await budget_of_one_job(world, Period.DAY, "Europe/Berlin", 2026, 10, 25, 2, 30)
    await world.accept()
    world.clock.advance(3600)  # half past two again
    await no_room(world)


@pytest.mark.promise
async def test_after_the_clock_jumps_back_nobody_waits_for_a_start_in_the_future(
    world: ResourcesWorld,
) -> None:
    await world.ready()
    await spending.set_limits(world.resources, GUILD, rate=StartRate(1, 600))
    noon = world.clock.now()
    world.clock.set(noon + timedelta(days=30))
    await world.accept()
    world.clock.set(noon)
    assert (await spending.of_member(world.resources, GUILD, MEMBER, ())).next_start is None
    await world.accept()
    assert "<t:" in await no_room(world)


@pytest.mark.promise
async def test_a_spent_budget_says_what_it_would_cost_what_is_left_and_when_it_renews(
    world: ResourcesWorld,
) -> None:
    await world.ready(daily=11)
    await world.accept()
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 3 of 11 credits left today. "
        f"The budget renews <t:{datetime(2026, 3, 3, tzinfo=UTC).timestamp():.0f}:R>. {CHANGE_BUDGET}"
    )


@pytest.mark.promise
async def test_nobody_is_told_to_wait_for_a_budget_that_will_never_do(world: ResourcesWorld) -> None:
    await world.ready(daily=5)
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 5 of 5 credits left today. "
        f"The daily budget of 5 credits is below the price. {CHANGE_BUDGET}"
    )


async def test_nobody_waits_for_the_next_period_when_only_a_grant_made_this_one_large_enough(
    world: ResourcesWorld,
) -> None:
    await world.ready(daily=5)
    await spending.grant(world.resources, GUILD, None, 5)
    await world.finish(await world.accept(), charge=8)
    said = await refusal(world)
    assert "2 of 10 credits left today. The daily budget of 5 credits is below the price." in said


async def test_an_allowance_that_will_never_do_says_so_and_who_can_raise_it(world: ResourcesWorld) -> None:
    await world.ready(daily=100)
    await spending.set_limits(world.resources, GUILD, allowance=(AllowanceScope.MEMBERS, 0, 6))
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and your allowance has 6 of 6 credits left today. "
        "The daily allowance of 6 credits is below the price. "
        "An admin can change this with `/studii credits`."
    )


CHANGE_BUDGET = "An admin can change the budget with `/studii budget`."


async def refusal(world: ResourcesWorld, **changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        await world.accept(**changes)
    return str(caught.value)
