from bot.credits.prices import Estimate, estimate


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
