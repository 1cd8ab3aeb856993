"""Admins are warned at 80 and at 100 percent of their budget, once in a period each, and truly."""

import pytest

from bot.catalog import Catalog
from bot.credits.prices import price_table
from bot.errors import Refused
from bot.posts import Post
from bot.servers.notices import NoticeKind
from tests.support.posts import open_posts
from tests.support.services import GUILD, ServicesWorld

ALL = NoticeKind.BUDGET_100


async def told(world: ServicesWorld) -> list[Post]:
    return await world.db.read(open_posts)


async def spend(world: ServicesWorld, *charges: int) -> None:
    """Jobs that cost so much in the end."""
    for charge in charges:
        await world.learn(charge)
        await world.finish(await world.accept(), charge)


async def is_refused(world: ServicesWorld, price: int = 8) -> None:
    await world.learn(price)
    with pytest.raises(Refused):
        await world.accept()


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
