"""What an admin grants is for one period: it counts there, and nowhere else."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.credits import ledger
from bot.credits.limits import AllowanceScope
from bot.domain.guilds import Period
from bot.errors import CreditsShort, Refused
from tests.services.world import GUILD, MEMBER, ServicesWorld
from tests.support import spending

DAY = timedelta(days=1)
TOKYO = "Asia/Tokyo"


async def at(world: ServicesWorld, *when: int) -> None:
    """It is that time in UTC, and the server has a key."""
    world.clock.set(datetime(*when, tzinfo=UTC))  # pyright: ignore[reportArgumentType]
    await world.ready()


async def granted(world: ServicesWorld) -> tuple[int, int]:
    """What counts now: to the server, and to the member."""
    async with world.storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []
    state = await spending.grants(world.services, GUILD)
    own = (await spending.of_member(world.services, GUILD, MEMBER, ())).use.grants
    assert state.members.get(MEMBER, 0) == own
    return state.budget.grants, own


async def grant(world: ServicesWorld, server: int, member: int) -> None:
    await spending.grant(world.services, GUILD, None, server)
    await spending.grant(world.services, GUILD, MEMBER, member)


async def move(world: ServicesWorld, zone: str) -> None:
    await spending.set_budget(world.services, GUILD, None, None, zone)


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


async def test_grants_of_past_days_do_not_come_back_when_a_budget_is_set_for_the_month(
    world: ServicesWorld,
) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(100)
    for _ in range(3):
        await grant(world, 20, 5)
        world.clock.advance(DAY.total_seconds())
    assert await granted(world) == (0, 0)
    await world.budget(100, Period.MONTH)
    assert await granted(world) == (0, 0)
    assert (await spending.budget(world.services, GUILD)).left == 100


async def test_another_period_ends_what_was_granted_and_says_how_much(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(100)
    await grant(world, 20, 5)
    assert (await spending.set_budget(world.services, GUILD, 90, None)).grants_over == 0
    assert await granted(world) == (20, 5)  # another limit is no other period
    for period in (Period.WEEK, Period.MONTH, Period.TOTAL):
        changed = await spending.set_budget(world.services, GUILD, None, period)
        assert changed.grants_over == (25 if period is Period.WEEK else 0)
        assert (changed.left, await granted(world)) == (90, (0, 0))
    # The day of which it was given still goes on.
    await world.budget(100)
    assert await granted(world) == (20, 5)


async def test_a_grant_for_march_is_marchs_in_whatever_zone(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 31, 20)  # in Tokyo April has begun
    await world.budget(100, Period.MONTH)
    await grant(world, 20, 5)
    changed = await spending.set_budget(world.services, GUILD, None, None, TOKYO)
    assert changed.grants_over == 25
    assert await granted(world) == (0, 0)
    await spending.grant(world.services, GUILD, None, 7)
    await move(world, "UTC")
    assert await granted(world) == (20, 5)
    world.clock.advance(DAY.total_seconds())  # April in UTC, too
    assert await granted(world) == (7, 0)


async def test_a_move_in_mid_month_keeps_the_months_grants_though_the_month_began_elsewhere(
    world: ServicesWorld,
) -> None:
    await at(world, 2027, 2, 28, 16)  # 1 March in Tokyo
    await spending.set_budget(world.services, GUILD, 100, Period.MONTH, TOKYO)
    await grant(world, 20, 5)
    world.clock.advance((3 * DAY).total_seconds())
    await move(world, "America/New_York")
    assert await granted(world) == (20, 5)


async def test_another_period_and_another_zone_at_once(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 31, 20)
    await world.budget(100)
    await grant(world, 20, 5)
    await world.accept()
    changed = await spending.set_budget(world.services, GUILD, 60, Period.MONTH, TOKYO)
    assert (changed.left, changed.grants_over) == (60 - 8, 25)  # the job moves with the clock, no grant does
    await grant(world, 10, 1)
    back = await spending.set_budget(world.services, GUILD, 100, Period.DAY, "UTC")
    assert (back.left, back.grants_over) == (100 + 20 - 8, 11)
    assert await granted(world) == (20, 5)


async def test_only_what_this_period_was_given_can_be_taken_back(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(100)
    await grant(world, 20, 5)
    world.clock.advance(DAY.total_seconds())
    with pytest.raises(Refused, match="No credits were granted for today"):
        await spending.grant(world.services, GUILD, None, -1)
    await grant(world, 1, 3)
    with pytest.raises(Refused, match="1 credit granted for today is the most"):
        await spending.grant(world.services, GUILD, None, -2)
    with pytest.raises(Refused, match="3 credits granted for today is the most"):
        await spending.grant(world.services, GUILD, MEMBER, -4)
    await grant(world, -1, -2)
    assert await granted(world) == (0, 1)


async def test_what_is_taken_back_when_it_was_spent_leaves_less_than_nothing(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(8)
    await spending.grant(world.services, GUILD, None, 8)
    for _ in range(2):
        await world.accept()
    await spending.grant(world.services, GUILD, None, -8)
    assert (await spending.budget(world.services, GUILD)).left == -8
    with pytest.raises(CreditsShort, match="0 of 8 credits left today"):
        await world.accept()


async def test_a_one_off_total_keeps_its_grants_until_it_is_begun_anew(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(100, Period.TOTAL)
    await grant(world, 20, 5)
    world.clock.advance((400 * DAY).total_seconds())
    await move(world, TOKYO)
    await world.budget(90, Period.TOTAL)
    assert await granted(world) == (20, 5)
    anew = await spending.set_budget(world.services, GUILD, None, None, restart=True)
    assert (anew.left, anew.grants_over) == (90, 25)
    assert await granted(world) == (0, 0)


async def test_a_clock_that_jumps_finds_each_grant_in_its_own_day(world: ServicesWorld) -> None:
    await at(world, 2027, 3, 1, 9)
    await world.budget(100)
    await grant(world, 20, 5)
    world.clock.advance((40 * DAY).total_seconds())
    await grant(world, 7, 1)
    world.clock.set(world.clock.now() - 40 * DAY)
    assert await granted(world) == (20, 5)
    world.clock.advance((40 * DAY).total_seconds())
    assert await granted(world) == (7, 1)
