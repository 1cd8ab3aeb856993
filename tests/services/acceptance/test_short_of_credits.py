"""What is said where credits are short: what it costs, what is left, and when there is more."""

from datetime import UTC, datetime

import pytest

from bot.credits.limits import AllowanceScope
from bot.domain.guilds import Period
from bot.servers import settings
from tests.services.refused import CHANGE_BUDGET, refusal, unix
from tests.services.world import GUILD, OTHER_MEMBER, ServicesWorld
from tests.support import spending


@pytest.mark.promise
async def test_a_spent_budget_says_what_it_would_cost_what_is_left_and_when_it_renews(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=11)
    await world.accept()
    assert await refusal(world) == (
        "Not enough credits: this costs about 8 credits, and the server has 3 of 11 credits left today. "
        f"The budget renews <t:{unix(2026, 3, 3)}:R>. {CHANGE_BUDGET}"
    )


async def test_a_learned_price_is_told_as_learned(world: ServicesWorld) -> None:
    await world.ready(daily=28)
    assert (await world.accept(user_id=OTHER_MEMBER)).price_learned is False
    await world.learn(12)
    assert (await world.accept()).price_learned is True
    said = "Not enough credits: this costs 12 credits, and the server has 8 of 28 credits left today."
    assert (await refusal(world)).startswith(said)


@pytest.mark.parametrize(
    ("period", "words", "renews"),
    [
        (Period.WEEK, "this week", unix(2026, 3, 9)),
        (Period.MONTH, "this month", unix(2026, 4, 1)),
    ],
)
async def test_longer_periods_are_called_by_their_name(
    world: ServicesWorld, period: Period, words: str, renews: int
) -> None:
    await world.ready()
    await world.budget(8, period)
    await world.accept()
    said = await refusal(world)
    assert f"the server has 0 of 8 credits left {words}. The budget renews <t:{renews}:R>." in said


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
        "An admin can change this with `/studii allowance`."
    )


async def test_a_day_ends_at_midnight_in_the_servers_zone(world: ServicesWorld) -> None:
    world.clock.set(datetime(2026, 7, 2, 3, 59, 59, tzinfo=UTC))  # New York: a second to midnight
    await world.ready(daily=8)
    async with world.storage.write() as transaction:
        await transaction.run(settings.change, GUILD, timezone="America/New_York")
    await world.accept()
    assert f"The budget renews <t:{unix(2026, 7, 2, 4)}:R>" in await refusal(world)
    world.clock.advance(1)
    await world.accept()
