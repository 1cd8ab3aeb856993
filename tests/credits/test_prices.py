import pytest

from bot.credits.budgets import Estimate, price_words
from bot.credits.prices import PriceTable
from tests.support.panels import CATALOG


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
    tool, inputs = CATALOG.get("virtual-staging"), {} if in_catalogue else {"season": "winter"}
    name = (tool.slug, tool.variant(inputs))
    own, any_ = ({} if one is None else {name: one} for one in (charged, guess))
    assert PriceTable(own, any_).expected(tool, inputs) == expected


def test_prices_say_whether_they_are_known() -> None:
    assert price_words(Estimate(1, learned=True)) == "1 credit (last price)"
    assert price_words(Estimate(1200, learned=False)) == "about 1,200 credits"
