"""A card tells a true place in line, within what Discord lets us edit."""

from bot.engine.places import EVERY, Places


def test_a_card_is_shown_anew_when_its_place_has_moved_and_not_before_a_while() -> None:
    places = Places()
    places.shown("a", 3, 0.0)
    places.shown("b", 2, 0.0)
    now = {"a": 2, "b": 1}.get
    assert places.moved(now, EVERY - 1) == []
    assert places.moved(now, EVERY) == ["b", "a"]  # the foremost first
    places.shown("b", 1, EVERY)
    assert places.moved(now, EVERY + 1) == ["a"]


def test_a_card_whose_place_stays_or_ends_is_left_alone() -> None:
    places = Places()
    places.shown("a", 3, 0.0)
    places.shown("b", 1, 0.0)
    assert places.moved({"a": 3}.get, EVERY) == []
    assert places.moved({"a": 2, "b": 1}.get, EVERY + 1) == []
    assert places.moved({"a": 2, "b": 4}.get, 3 * EVERY) == ["a"]
