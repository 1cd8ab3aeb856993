"""Where one period ends and the next begins: what members can spend there, through the services."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.credits.limits import StartRate
from bot.domain.guilds import Period
from bot.errors import Refused
from tests.services.world import GUILD, MEMBER, ServicesWorld
from tests.support import spending

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
async def test_a_month_of_28_days_renews_on_the_first_of_march(world: ServicesWorld) -> None:
    await budget_of_one_job(world, Period.MONTH, "Europe/Berlin", 2027, 2, 1)
    await world.accept()
    world.clock.set(world.clock.now() + timedelta(days=28) - SECOND)
    await no_room(world)
    world.clock.set(world.clock.now() + SECOND)
    await world.accept()


async def test_a_grant_ends_with_the_period_also_when_that_is_a_short_one(world: ServicesWorld) -> None:
    await budget_of_one_job(world, Period.DAY, "America/New_York", 2026, 3, 8)
    await spending.grant(world.services, GUILD, None, 20)
    world.clock.advance(23 * 3600 - 1)
    assert (await spending.budget(world.services, GUILD)).left == 28
    world.clock.advance(1)
    assert (await spending.budget(world.services, GUILD)).left == 8


async def test_a_server_that_moves_a_day_ahead_and_back_counts_by_its_new_calendar(
    world: ServicesWorld,
) -> None:
    # Noon of 2 March in UTC is 01:00 of 2 March in Pago Pago and 02:00 of 3 March in Kiritimati.
    await budget_of_one_job(world, Period.DAY, "Pacific/Pago_Pago", 2026, 3, 2, 1)
    await world.accept()
    await no_room(world)
    await spending.set_budget(world.services, GUILD, None, None, "Pacific/Kiritimati")
    await no_room(world)  # its third of March began two hours ago, and that job lies in it
    world.clock.advance(22 * 3600)
    await world.accept()  # the fourth has begun there
    await spending.set_budget(world.services, GUILD, None, None, "Pacific/Pago_Pago")
    # The day in Pago Pago has both jobs: nothing is forgotten, nothing counted twice.
    assert (await spending.budget(world.services, GUILD)).left == 8 - 16
    await no_room(world)


async def test_a_zone_changed_in_mid_month_moves_its_edges_and_no_job(world: ServicesWorld) -> None:
    await budget_of_one_job(world, Period.MONTH, "UTC", 2026, 2, 28, 20)
    await world.accept()
    await spending.set_budget(world.services, GUILD, None, None, "Asia/Tokyo")  # March since 15:00
    await no_room(world)
    world.clock.advance(5 * 3600)  # March in UTC too: there the job is February's
    await no_room(world)
    await spending.set_budget(world.services, GUILD, None, None, "UTC")
    await world.accept()


async def test_a_clock_that_jumps_ahead_and_is_set_right_gives_no_second_budget(world: ServicesWorld) -> None:
    await budget_of_one_job(world, Period.DAY, "Europe/Berlin", 2026, 5, 4, 12)
    noon = world.clock.now()
    await world.accept()
    world.clock.set(noon + timedelta(days=400))
    await world.accept()
    world.clock.set(noon)
    await no_room(world)
    world.clock.set(noon + timedelta(days=400))
    await no_room(world)


async def test_a_clock_that_jumps_back_over_midnight_meets_the_budget_of_that_day(
    world: ServicesWorld,
) -> None:
    await budget_of_one_job(world, Period.DAY, "Europe/Berlin", 2026, 5, 4, 23, 59)
    await world.accept()
    world.clock.set(world.clock.now() + timedelta(minutes=2))
    await world.accept()
    world.clock.set(world.clock.now() - timedelta(minutes=2))
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


async def test_a_total_that_was_set_while_the_clock_was_ahead_holds_all_the_same(
    world: ServicesWorld,
) -> None:
    await budget_of_one_job(world, Period.TOTAL, "UTC", 2027, 5, 4, 12)
    world.clock.advance(-400 * 24 * 3600)
    await world.accept()
    assert "0 of 8 credits left" in await no_room(world)
    world.clock.advance(1)
    await spending.set_budget(world.services, GUILD, None, None, restart=True)
    await world.accept()
    await no_room(world)
