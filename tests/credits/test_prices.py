import pytest

from bot.credits.budgets import Estimate, price_words
from bot.credits.prices import ToolPrice, estimate, price_table
from tests.support.services import GUILD, ServicesWorld


@pytest.mark.parametrize(
    ("charged", "guess", "in_catalogue", "expected"),
    [
        # Until a charge was seen, the catalogue is believed; what other keys were charged only raises that.
        (None, None, True, Estimate(8, learned=False)),
        (None, 90, True, Estimate(90, learned=False)),
        (None, 0, True, Estimate(8, learned=False)),
        (None, 2, True, Estimate(8, learned=False)),
        # The last charge of the same inputs, and never less than one credit.
        (5, 90, True, Estimate(5, learned=True)),
        (0, 90, True, Estimate(1, learned=True)),
        # Inputs outside the catalogue: the dearest charge of the tool, and never less than is assumed.
        (None, 40, False, Estimate(40, learned=False)),
        (50, 40, False, Estimate(50, learned=True)),
        (None, None, False, Estimate(8, learned=False)),
        (2, 3, False, Estimate(8, learned=True)),
    ],
)
def test_what_a_job_will_probably_cost(
    charged: int | None, guess: int | None, in_catalogue: bool, expected: Estimate
) -> None:
    assert estimate(8, charged, guess, in_catalogue) == expected


async def price_list(world: ServicesWorld) -> list[ToolPrice]:
    table = await world.services.db.read(price_table, GUILD)
    return [table.listed(tool) for tool in world.services.catalog.tools.values()]


async def test_the_price_list_has_every_tool_as_it_is_when_nothing_is_chosen(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(6)
    await world.learn(40, "mode=video quality=standard")
    prices = await price_list(world)
    assert [(one.tool.slug, one.price) for one in prices] == [
        ("studio", Estimate(6, learned=True)),
        ("virtual-staging", Estimate(8, learned=False)),
        ("photo-restore", Estimate(8, learned=False)),
        ("product-background", Estimate(8, learned=False)),
        ("career-photo", Estimate(8, learned=False)),
    ]


async def test_the_price_list_has_what_other_choices_were_charged(world: ServicesWorld) -> None:
    await world.ready()
    await world.learn(6)
    await world.learn(90, "mode=video quality=high")
    await world.learn(40, "mode=video quality=standard")
    await world.learn(500, "mode=video quality=ultra")  # not suggested
    await world.learn(6, "mode=image quality=high")  # makes no difference
    studio, staging, *_ = await price_list(world)
    assert [(dict(choices), price.amount) for choices, price in studio.others] == [
        ({"mode": "video"}, 40),
        ({"mode": "video", "quality": "high"}, 90),
    ]
    assert (studio.most, staging.others, staging.most) == (90, (), 8)


def test_prices_say_whether_they_are_known() -> None:
    assert price_words(Estimate(1, learned=True)) == "1 credit (last price)"
    assert price_words(Estimate(1200, learned=False)) == "about 1,200 credits"
