from bot.credits.prices import Estimate, ToolPrice, estimate, price_table, price_words
from tests.support.world import GUILD, ServicesWorld


def test_until_a_charge_was_seen_the_catalogue_is_believed_and_said_to_be_assumed() -> None:
    assert estimate(8, None, None, in_catalogue=True) == Estimate(8, learned=False)


def test_what_other_keys_were_charged_raises_the_assumed_cost_and_never_lowers_it() -> None:
    assert estimate(8, None, 90, in_catalogue=True) == Estimate(90, learned=False)
    assert estimate(8, None, 0, in_catalogue=True) == Estimate(8, learned=False)
    assert estimate(8, None, 2, in_catalogue=True) == Estimate(8, learned=False)


def test_the_last_charge_of_the_same_inputs_is_the_estimate() -> None:
    assert estimate(8, 5, 90, in_catalogue=True) == Estimate(5, learned=True)


def test_no_estimate_is_below_one_credit() -> None:
    assert estimate(8, 0, 90, in_catalogue=True) == Estimate(1, learned=True)
    assert estimate(1, None, 0, in_catalogue=True) == Estimate(1, learned=False)


def test_inputs_outside_the_catalogue_reserve_the_dearest_charge_of_the_tool() -> None:
    assert estimate(8, None, 40, in_catalogue=False) == Estimate(40, learned=False)
    assert estimate(8, 50, 40, in_catalogue=False) == Estimate(50, learned=True)


def test_inputs_outside_the_catalogue_never_reserve_less_than_is_assumed() -> None:
    assert estimate(8, None, None, in_catalogue=False) == Estimate(8, learned=False)
    assert estimate(8, 2, 3, in_catalogue=False) == Estimate(8, learned=True)


async def price_list(world: ServicesWorld) -> list[ToolPrice]:
    return (await world.services.db.read(price_table, GUILD)).all_listed(world.services.catalog)


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
    assert [(dict(one.choices), one.price.amount) for one in studio.others] == [
        ({"mode": "video"}, 40),
        ({"mode": "video", "quality": "high"}, 90),
    ]
    assert (studio.most, staging.others, staging.most) == (90, (), 8)


def test_prices_say_whether_they_are_known() -> None:
    assert price_words(Estimate(1, learned=True)) == "1 credit (last price)"
    assert price_words(Estimate(1200, learned=False)) == "about 1,200 credits"
