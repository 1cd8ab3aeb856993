"""Admins are warned at 80 and at 100 percent of their budget, once in a period each, and truly."""

from itertools import pairwise

import pytest

from bot.catalog import Catalog
from bot.credits.prices import price_table
from bot.domain.guilds import Plan
from bot.errors import Refused
from bot.jobs import transitions
from bot.jobs.models import JobState
from bot.posts import Post
from bot.servers import privacy
from bot.servers.notices import NoticeKind
from tests.support import spending
from tests.support.posts import open_posts
from tests.support.services import rule
from tests.support.world import GUILD, SECRET, ServicesWorld

ALMOST, ALL = NoticeKind.BUDGET_80, NoticeKind.BUDGET_100


async def told(world: ServicesWorld) -> list[Post]:
    return await world.db.read(open_posts)


async def kinds(world: ServicesWorld) -> list[str]:
    return [notice.kind for notice in await told(world)]


async def spend(world: ServicesWorld, *charges: int) -> None:
    """Jobs that cost so much in the end."""
    for charge in charges:
        await world.learn(charge)
        await world.finish(await world.accept(), charge)


async def is_refused(world: ServicesWorld, price: int = 8) -> None:
    await world.learn(price)
    with pytest.raises(Refused):
        await world.accept()


async def test_each_is_told_once_in_a_period_and_anew_in_the_next(world: ServicesWorld) -> None:
    await world.ready(daily=20)
    await spend(world, 8)
    assert await kinds(world) == []
    await spend(world, 8)
    assert await kinds(world) == [ALMOST]
    await spend(world, 1, 3)
    assert await kinds(world) == [ALMOST, ALL]
    await is_refused(world)
    assert await kinds(world) == [ALMOST, ALL]
    world.clock.advance(24 * 3600)
    await spend(world, 16, 4)
    assert await kinds(world) == [ALMOST, ALL, ALMOST, ALL]


async def test_a_job_that_is_turned_away_uses_nothing_up_while_a_cheaper_one_could_start(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=100)
    await spend(world, 80)
    await is_refused(world, 40)
    assert await kinds(world) == [ALMOST]
    await spend(world, 20)
    assert await kinds(world) == [ALMOST, ALL]


async def test_a_rest_that_is_too_little_for_any_tool_is_told_as_that_and_all_of_it_afterwards(
    world: ServicesWorld,
) -> None:
    await world.ready(daily=20)
    await spend(world, 8, 8)
    await is_refused(world)
    await is_refused(world)
    _, rest = await told(world)
    assert (rest.kind, rest.details["least"], rest.details["spent"]) == (ALL, 8, 16)
    await spend(world, 4)
    assert [notice.details.get("least") for notice in await told(world)] == [None, 8, None]


@pytest.mark.promise
async def test_the_cheapest_tool_is_known_from_charges_where_all_were_charged(world: ServicesWorld) -> None:
    await world.ready(daily=50)
    await spend(world, 40)
    catalog = Catalog.load()
    for tool in catalog.tools:
        await world.learn(12, "" if tool != "studio" else "mode=image quality=high", tool)
    await is_refused(world, 12)  # 10 are left, and each was assumed to cost 8
    (rest,) = [one for one in await told(world) if one.kind == ALL]
    prices = await world.services.db.read(price_table, GUILD)  # as setup asks for them
    assert rest.details["least"] == prices.least_of_all(catalog) == 12


@pytest.mark.parametrize(
    "by", ["a budget", "a key with a budget", "a grant taken back", "a ruling", "the end of what ran"]
)
async def test_whatever_crosses_a_threshold_tells_it(world: ServicesWorld, by: str) -> None:
    await world.ready(daily=20)
    services = world.services
    await spending.grant(services, GUILD, None, 80)
    if by != "a grant taken back":
        await spending.grant(services, GUILD, None, -80)
        await spending.set_budget(services, GUILD, 100, None)
    await spend(world, 18)
    job = await world.accept()
    for old, new in pairwise((JobState.WAITING, JobState.SUBMITTING, JobState.UNKNOWN)):
        await world.db.write(transitions.advance, job.id, old, new, at=world.clock.now())
    assert await kinds(world) == []
    if by == "a budget":
        await spending.set_budget(services, GUILD, 20, None)
    elif by == "a key with a budget":
        await services.keys.set_key(GUILD, SECRET, Plan.PRO, 20)
    elif by == "a grant taken back":
        await spending.grant(services, GUILD, None, -80)
    elif by == "a ruling":
        await rule(services, GUILD, job.id, 82)
    else:
        now, running = world.clock.now(), JobState.RUNNING
        await world.db.write(transitions.advance, job.id, JobState.UNKNOWN, running, at=now, charged=82)
        await services.db.write(privacy.left, GUILD, world.clock.now())
    assert await kinds(world) == [ALL]
