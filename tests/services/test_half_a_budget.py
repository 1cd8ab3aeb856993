"""A budget of which the database holds half: nobody spends what the admins might not have allowed."""

import sqlite3
from contextlib import closing

from bot.credits import ledger
from bot.domain.guilds import Period
from bot.servers import settings
from tests.services.refused import CHANGE_BUDGET, refusal
from tests.services.world import GUILD, ServicesWorld
from tests.support import spending
from tests.support.jobs import ledger_lines


def forget_the_period(world: ServicesWorld) -> None:
    with closing(sqlite3.connect(world.file)) as other, other:  # by hand: the bot writes both
        other.execute("UPDATE guilds SET budget_period = NULL")


async def test_a_budget_without_a_period_lets_nothing_be_spent_and_says_who_can_change_that(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=100)
    forget_the_period(world)
    for _ in range(2):  # read, and remembered
        assert await refusal(world) == (
            "Not enough credits: this costs about 8 credits, and the server has 0 of 0 credits left today. "
            f"The daily budget of 0 credits is below the price. {CHANGE_BUDGET}"
        )
    assert await world.jobs() == []
    assert (await spending.budget(world.services, GUILD)).usage.spent == 0
    async with world.storage.read() as transaction:
        assert await ledger_lines(transaction) == []


async def test_what_was_accepted_before_a_budget_was_halved_is_settled(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    job = await world.accept()
    forget_the_period(world)
    await world.finish(job, charge=8)
    async with world.storage.read() as transaction:
        assert await transaction.run(ledger.differing) == []


async def test_an_admin_mends_half_a_budget_by_setting_it(world: ServicesWorld) -> None:
    await world.ready(daily=100)
    forget_the_period(world)
    assert (await spending.set_budget(world.services, GUILD, 16, None)).left == 16
    await world.accept()
    async with world.storage.read() as transaction:
        budget = (await transaction.run(settings.of, GUILD)).budget
    assert (budget.limit, budget.period) == (16, Period.DAY)
